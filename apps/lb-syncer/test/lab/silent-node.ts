import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Server, eventually } from './processes';

/** Two listeners that never take what waits before them; then the process sleeps for ever. */
const LISTENS = `
const listening = () => new Promise((resolve) => {
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => resolve(server.address().port));
});
Promise.all([listening(), listening()]).then((ports) => {
  require('node:fs').writeSync(1, 'listens at ' + ports.join(' ') + '.');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;
/** More than a backlog of 1 takes: the kernel answers none after these. */
const FILLERS = 8;

/** Stands for a machine without power: who connects to it is neither taken nor refused. */
export class SilentNode {
  readonly #process = new Server(process.execPath, ['-e', LISTENS]);
  #fillers: Socket[] = [];
  port = 0;
  apiPort = 0;

  constructor(readonly name: string) {}

  async start(): Promise<this> {
    this.#process.start();
    const said = await eventually('it listens', () => /listens at (\d+) (\d+)\./.exec(this.#process.output));
    [this.port, this.apiPort] = [Number(said?.[1]), Number(said?.[2])];
    for (const port of [this.port, this.apiPort]) await this.#fill(port);
    return this;
  }

  async #fill(port: number): Promise<void> {
    const fillers = Array.from({ length: FILLERS }, () => connect(port, '127.0.0.1').on('error', () => undefined));
    this.#fillers.push(...fillers);
    await Promise.race(fillers.map((filler) => once(filler, 'connect')));
  }

  async end(): Promise<void> {
    for (const filler of this.#fillers) filler.destroy();
    await this.#process.end();
  }
}
