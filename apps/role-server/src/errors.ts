import { defineErrors } from '@ha-postgres/service-kit';

export const errors = defineErrors({
  HAPG_CONTROLLER_UNREACHABLE: {
    family: 'operating',
    help: 'db-controller does not answer on its unix socket: see whether it runs in this pod and shares the socket directory.',
  },
  HAPG_CONTROLLER_TIMEOUT: {
    family: 'operating',
    help: 'db-controller took too long: it may be frozen or starved of CPU. The asker tries again.',
  },
  HAPG_CONTROLLER_STATE_INVALID: {
    family: 'operating',
    help: 'db-controller published something that this role-server does not understand: their versions may differ too much.',
  },
});
