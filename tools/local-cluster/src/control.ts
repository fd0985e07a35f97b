import { createServer, connect, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Slowness } from './network/links';

/** What another process asks of the owner of a cluster: one JSON line each way, one question on a connection. */
export type Command =
  | { readonly do: 'kill'; readonly target: string; readonly keepDown: boolean }
  | { readonly do: 'freeze' | 'thaw' | 'start' | 'restart'; readonly target: string }
  | { readonly do: 'add'; readonly node: string; readonly settings: Readonly<Record<string, string>> }
  | { readonly do: 'remove'; readonly node: string }
  | { readonly do: 'cut'; readonly from: string; readonly to: string; readonly isOneWay: boolean }
  | { readonly do: 'slow'; readonly from: string; readonly to?: string; readonly slowness: Slowness }
  | { readonly do: 'heal'; readonly from?: string; readonly to?: string }
  | { readonly do: 'status' | 'settled' | 'down' };

export type Answer = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: string };

/** Answers commands on a unix socket until closed. */
export async function serveControl(path: string, carryOut: (command: Command) => Promise<unknown>): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    createInterface({ input: socket }).once('line', (line) => {
      void answerTo(line, carryOut).then((answer) => socket.end(`${JSON.stringify(answer)}\n`));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return server;
}

/**
 * Asks the owner of a cluster to carry out a command.
 * @throws Error with what the owner answered, or that there is none, or that it did not answer in time.
 */
export async function askOwner(path: string, command: Command, timeoutMs = 30_000): Promise<unknown> {
  const socket = connect(path);
  const text = await conversation(socket, command, timeoutMs).catch((cause: unknown) => {
    throw new Error(`no cluster answers at ${path}: ${(cause as Error).message}`, { cause });
  });
  const answer = JSON.parse(text) as Answer;
  if (!answer.ok) throw new Error(answer.error);
  return answer.result;
}

function conversation(socket: Socket, command: Command, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    socket.setEncoding('utf8');
    socket.on('error', reject);
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('close', () => {
      if (text.endsWith('\n')) resolve(text);
      else reject(new Error('the connection was closed without an answer'));
    });
    socket.write(`${JSON.stringify(command)}\n`);
  });
}

async function answerTo(line: string, carryOut: (command: Command) => Promise<unknown>): Promise<Answer> {
  try {
    return { ok: true, result: (await carryOut(JSON.parse(line) as Command)) ?? null };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}
