import { defineErrors } from './coded-error';

/** The errors that this library itself throws. */
export const errors = defineErrors({
  HAPG_CONFIG_INVALID: {
    family: 'configuration',
    help: 'Correct the options that the message lists; --help shows every option, --check-config tries a configuration without starting.',
  },
  HAPG_STATE_FILE_UNREADABLE: {
    family: 'invariant',
    help: 'The state file exists but cannot be read as JSON. It is written atomically, so the disk or a person changed it: look at it, and remove it only if the node may forget what it promised.',
  },
  HAPG_NODE_LOCKED: {
    family: 'operating',
    help: 'Another process of the same kind works for this node. Stop that one first; the lock ends with its process.',
  },
  HAPG_NODE_LOCK_UNAVAILABLE: {
    family: 'configuration',
    help: 'The lock file cannot be opened, or the machine has neither flock(1) nor perl: check the directory and its permissions, or install util-linux.',
  },
  HAPG_LISTEN_FAILED: {
    family: 'configuration',
    help: 'The address or socket path cannot be listened on: another process may use it, or the permissions are missing.',
  },
  HAPG_BOOT_ID_UNKNOWN: {
    family: 'configuration',
    help: 'This system tells no boot id, without which deadlines of one boot could be taken for those of another. Linux and macOS do.',
  },
});
