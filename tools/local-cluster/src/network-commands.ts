import { InvalidArgumentError, type Command } from 'commander';
import type { Command as ControlCommand } from './control';
import { GROUP_NAMES } from './network/groups';
import { parseCount } from './options';

type Ask = (workdir: string, command: ControlCommand) => Promise<unknown>;

interface Given {
  readonly workdir: string;
}

interface GivenSlowness {
  readonly delay: number;
  readonly jitter: number;
  readonly loss: number;
}

const WHO = `a member (node0, lb1, consul2) or a group (${GROUP_NAMES.join(', ')})`;
const DELAY_MAX_MS = 9_999;

/** Adds `cut`, `slow` and `heal`, for clusters that were started with `--netns`. */
export function addNetworkCommands(program: Command, ask: Ask): void {
  networkCommand(program, 'cut <A> <B>', 'drop packets between members; their connections stall, and no one is told')
    .option('--one-way', 'only those from A to B', false)
    .action(async (from: string, to: string, { workdir, oneWay }: Given & { oneWay: boolean }) => {
      await ask(workdir, { do: 'cut', from, to, isOneWay: oneWay });
    });

  networkCommand(program, 'slow <A> [B]', 'hold up packets between members, in each direction; B: all unless given')
    .requiredOption('--delay <ms>', 'how long, in milliseconds', number('--delay', DELAY_MAX_MS))
    .option('--jitter <ms>', 'up to so much longer or shorter', number('--jitter', DELAY_MAX_MS), 0)
    .option('--loss <percent>', 'so many of a hundred packets are lost', number('--loss', 100), 0)
    .action(async (from: string, to: string | undefined, { workdir, delay, jitter, loss }: Given & GivenSlowness) => {
      const slowness = { delayMs: delay, jitterMs: jitter, lossPercent: loss };
      await ask(workdir, { do: 'slow', from, slowness, ...(to === undefined ? {} : { to }) });
    });

  networkCommand(
    program,
    'heal [A] [B]',
    'take back all of it, between A and B, or between A and everybody, or everywhere',
  ).action(async (from: string | undefined, to: string | undefined, { workdir }: Given) => {
    await ask(workdir, {
      do: 'heal',
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    });
  });
}

function networkCommand(program: Command, usage: string, description: string): Command {
  return program
    .command(usage)
    .description(description)
    .addHelpText('after', `\nA and B: ${WHO}. Roles count as they are when the command is given.`)
    .requiredOption('--workdir <dir>', 'the work directory of the cluster');
}

function number(name: string, maximum: number): (text: string) => number {
  return (text) => {
    try {
      return parseCount(name, text, 0, maximum);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}
