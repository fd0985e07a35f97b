import { defineErrors } from '@ha-postgres/service-kit';

export const errors = defineErrors({
  HAPG_COMMAND_INVALID: {
    family: 'configuration',
    help: 'Correct the command line: hapg --help lists the commands, hapg COMMAND --help what each takes.',
  },
  HAPG_COMMAND_REFUSED: {
    family: 'operating',
    help: 'The command does not fit what the cluster is like now: the message says why and, where there is one, what to type instead.',
  },
  HAPG_COMMAND_OVERTAKEN: {
    family: 'operating',
    help: 'Somebody else wrote the same key in between, and nothing was written: look at hapg status and decide again.',
  },
  HAPG_COMMAND_UNCONFIRMED: {
    family: 'operating',
    help: 'The command was not confirmed, and nothing was written. Without a terminal, --yes confirms it.',
  },
  HAPG_COMMAND_UNANSWERED: {
    family: 'operating',
    help: 'What was asked for is written, and its outcome has not been seen in time: follow it with hapg status and hapg history.',
  },
});
