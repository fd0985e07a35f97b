import type { Command } from '../command';
import { bootstrap } from './bootstrap';
import { failover } from './failover';
import { history } from './history';
import { pause } from './pause';
import { rejoin } from './rejoin';
import { resume } from './resume';
import { status } from './status';
import { switchover } from './switchover';

/** By the names that are typed. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  status,
  history,
  pause,
  resume,
  switchover,
  failover,
  rejoin,
  bootstrap,
};
