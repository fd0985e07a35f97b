import type { Command, Query } from './command';
import { refusal, type RuntimeError } from './errors';

/** What became of one command. `text` is HAProxy's answer without severity and final newlines; mostly empty. */
export type Reply =
  | { readonly command: Command; readonly ok: true; readonly text: string }
  | { readonly command: Command; readonly ok: false; readonly error: RuntimeError };

const SEVERITY = /^\[([0-7])\]: ?/;

interface Message {
  readonly severity?: number;
  readonly text: string;
}

function readMessage(raw: string): Message {
  const match = SEVERITY.exec(raw);
  if (match === null) return { text: raw.replace(/\n+$/, '') };
  return { severity: Number(match[1]), text: raw.slice(match[0].length).trim() };
}

/**
 * Success is never guessed from the severity: HAProxy 2.6.12 answers both "IP changed" and "Invalid addr" with 4, and
 * both "New server registered" and "Unknown command" with 6.
 */
function isSuccess(command: Command, message: Message): boolean {
  if (command.notice?.test(message.text) === true) return true;
  return message.severity === undefined && (command.kind === 'query' || message.text === '');
}

/** Ties HAProxy's raw answer (with `severity-output number`) to the command that it answers. */
export function judge(command: Command, raw: string): Reply {
  const message = readMessage(raw);
  if (isSuccess(command, message)) return { command, ok: true, text: message.text };
  return { command, ok: false, error: refusal(command.line, message.severity, message.text) };
}

/**
 * The value that a reply to `query` carries, for queries sent within a batch.
 * @throws RuntimeError the refusal, or HAPROXY_UNREADABLE.
 */
export function readReply<T>(query: Query<T>, reply: Reply): T {
  if (!reply.ok) throw reply.error;
  return query.parse(reply.text);
}
