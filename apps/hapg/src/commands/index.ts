import type { Command } from '../command';
import { history } from './history';
import { pause } from './pause';
import { resume } from './resume';
import { status } from './status';

/** By the names that are typed. */
export const COMMANDS: Readonly<Record<string, Command>> = { status, history, pause, resume };
