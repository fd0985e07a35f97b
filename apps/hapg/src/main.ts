import { runProgram } from './program';
import { Terminal } from './terminal';

const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort());
// A reader that went away (`hapg history | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

void runProgram(process.argv.slice(2), {
  terminal: new Terminal(process.stdin, process.stdout, process.stderr),
  environment: process.env,
  signal: stopping.signal,
}).then((code) => {
  process.exitCode = code;
});
