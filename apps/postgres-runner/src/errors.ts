import { defineErrors } from '@ha-postgres/service-kit';

/** The errors of the runner; those of family *operating* appear in its report and are tried again by the next cycle. */
export const errors = defineErrors({
  HAPG_RUNNER_CANNOT_RUN_POSTGRES: {
    family: 'configuration',
    help: 'No usable PostgreSQL was found, or it would run as root: set binDir to the directory with `postgres` and `initdb`, and user to an unprivileged account.',
  },
  HAPG_DATA_MOUNT_POINT: {
    family: 'configuration',
    help: 'Something is mounted on the data directory itself. A base backup replaces the whole directory, which a mount point does not allow: no Replica could be made of this node. Set dataDir to a directory below the mount point.',
  },
  HAPG_DATA_FOREIGN: {
    family: 'operating',
    help: 'The data directory belongs to another cluster (its system identifier differs). Look at what it holds; empty it to let the node join as a Replica.',
  },
  HAPG_DATA_NEWER: {
    family: 'operating',
    help: 'The data directory was made by a newer major version of PostgreSQL than the installed one: install that version.',
  },
  HAPG_DATA_OLDER: {
    family: 'operating',
    help: 'The data directory was made by an older major version of PostgreSQL: upgrade it with pg_upgrade, or install that version.',
  },
  HAPG_DATA_OWNER: {
    family: 'operating',
    help: 'The data directory belongs to another account than the one PostgreSQL runs as: change its owner.',
  },
  HAPG_DATA_PERMISSIONS: {
    family: 'operating',
    help: 'The data directory is open to others: PostgreSQL wants its mode to be 0700 or 0750.',
  },
  HAPG_DATA_UNREADABLE: {
    family: 'operating',
    help: 'The directory is not empty, but it holds no readable PostgreSQL control file: look at what it holds; empty it to let the node join as a Replica.',
  },
  HAPG_DATA_HALF_REPLACED: {
    family: 'operating',
    help: 'A rewind, or the exchange of the directory for a base backup, did not come to its end: PostgreSQL is not started on it. The node takes a base backup as soon as a Master runs; what was in it before lies in the directory `.replaced` beside it, or was kept as `.diverged-wal-N`.',
  },
  HAPG_DATA_NOT_EMPTY: {
    family: 'operating',
    help: 'A new database cluster is made in an empty directory only.',
  },
  HAPG_DATA_EMPTY: {
    family: 'operating',
    help: 'A Master needs data. The controller should not have chosen this node.',
  },
  HAPG_DATA_IN_USE: {
    family: 'operating',
    help: 'Data that has been part of a cluster is never wiped or overwritten by the runner.',
  },
  HAPG_DATA_FRESH: {
    family: 'operating',
    help: 'The directory holds a new database cluster of its own, which cannot follow another: it waits to be told to wipe it.',
  },
  HAPG_INITIALISE_FAILED: {
    family: 'operating',
    help: 'Making the database cluster failed, most often in an init script: its last output is in the message. The directory is wiped and it is tried again.',
  },
  HAPG_CLONE_FAILED: {
    family: 'operating',
    help: 'The base backup failed, or its source does not say that its data is of the term that this node was told: see the message; it is tried again.',
  },
  HAPG_REJOIN_WOULD_LOSE: {
    family: 'operating',
    help: "This node holds commits that the Master's history lacks; the message tells how many, where, and which. Look at them (`pg_waldump`, or start a copy of the directory apart). Then write the key `NODE/rejoin` to give them up (the WAL is kept aside), or empty the data directory.",
  },
  HAPG_REJOIN_FAILED: {
    family: 'operating',
    help: 'The data could not be made to follow the Master: see the message; it is tried again.',
  },
  HAPG_DATA_NO_ROOM: {
    family: 'operating',
    help: 'The disk has no room for a base backup beside the present data, or for the WAL that is to be kept: make room, or empty the data directory if what it holds is not needed. It is tried again.',
  },
  HAPG_WIPE_FAILED: { family: 'operating', help: 'The data directory could not be removed; it is tried again.' },
  HAPG_POSTGRES_EXITED: {
    family: 'operating',
    help: 'PostgreSQL ended without having been asked to: its last fatal line is in the message. A standby is started again; a Master is not, the controller decides.',
  },
  HAPG_POSTGRES_START_FAILED: {
    family: 'operating',
    help: 'PostgreSQL could not be started: the message tells what stood in the way. It is tried again.',
  },
});

/** A code of this catalogue. */
export type RunnerErrorCode = keyof typeof errors;
