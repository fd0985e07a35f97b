import { defineErrors } from '@ha-postgres/service-kit';

export const errors = defineErrors({
  HAPG_PROMOTE_WITHOUT_RIGHT: {
    family: 'invariant',
    help: 'The controller was about to promote without the right to. PostgreSQL is fenced. This is a defect: report it with the log.',
  },
});
