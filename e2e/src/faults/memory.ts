import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

const QUESTIONS = 200;
const BODY_BYTES = 2 ** 20;

/** From now on a process gets no more address space than it has. */
export function takeAllMemoryOf(pid: number): void {
  const sizeKb = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  execFileSync('prlimit', ['--pid', String(pid), `--as=${Number(sizeKb) * 1024}`]);
}

/** Asks a service at its unix socket questions that it must keep in memory, since their last byte never comes. Returns what ends it. */
export function needMemoryAt(path: string): () => void {
  const head = `POST /runner HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${BODY_BYTES}\r\n\r\n`;
  const question = Buffer.concat([Buffer.from(head), Buffer.alloc(BODY_BYTES - 1, ' ')]);
  const sockets = Array.from({ length: QUESTIONS }, (): Socket => {
    const socket = connect(path);
    socket.on('error', () => undefined);
    socket.write(question);
    return socket;
  });
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}
