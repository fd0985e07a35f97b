import { defineErrors } from '@ha-postgres/service-kit';

export const errors = defineErrors({
  HAPG_STATE_INVALID: {
    family: 'invariant',
    help: 'The state file is JSON, but not what a controller writes. It is written atomically, so a person or another program changed it: look at it, and remove it only if the node may forget what it promised.',
  },
  HAPG_NODE_NAME_TAKEN: {
    family: 'configuration',
    help: 'Another controller that lives has the same node name, on another machine: give each node a name of its own, or stop the one that should not be there.',
  },
  HAPG_SETTINGS_NOT_IN_PLACE: {
    family: 'operating',
    help: 'PostgreSQL does not yet show the synchronous rule under which it is to be promoted, or lets clients in too early. It is not promoted, and looked at again. If it lasts, the runner cannot write its files, or somebody else writes them.',
  },
  HAPG_PROMOTE_WITHOUT_RIGHT: {
    family: 'invariant',
    help: 'The controller was about to promote without the right to. PostgreSQL is fenced. This is a defect: report it with the log.',
  },
});
