/**
 * A process of its own: takes packets from a network device, holds them up, and gives them back. (`tc netem` does the same, but not
 * every kernel is built with it.) Standard input says by JSON lines which ways are held up and how; its end ends the process.
 */
import { read, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { DelayQueue, type SlowWays } from './network/delay-queue';

const PACKET_MAX = 65_536;
const device = Number(process.argv[2]);

const queue = new DelayQueue<Buffer>(Math.random);
let timer: NodeJS.Timeout | null = null;

createInterface({ input: process.stdin })
  .on('line', (line) => queue.setWays(JSON.parse(line) as SlowWays))
  // Not process.exit, which would wait for the read that is under way.
  .on('close', () => process.kill(process.pid, 'SIGKILL'));
readNext(Buffer.allocUnsafe(PACKET_MAX));
process.stdout.write('ready\n');

function readNext(buffer: Buffer): void {
  read(device, buffer, 0, PACKET_MAX, null, (error, size) => {
    if (error !== null) throw error;
    const packet = Buffer.from(buffer.subarray(0, size));
    if (isVersion4(packet)) queue.take(wayOf(packet), packet, performance.now());
    send();
    readNext(buffer);
  });
}

/** Sends what is due, and comes back when the next packet is. */
function send(): void {
  if (timer !== null) clearTimeout(timer);
  for (const packet of queue.due(performance.now())) writeSync(device, packet);
  const { nextDue } = queue;
  timer = nextDue === null ? null : setTimeout(send, Math.max(nextDue - performance.now(), 0));
}

function isVersion4(packet: Buffer): boolean {
  return packet.length >= 20 && packet.readUInt8(0) >> 4 === 4;
}

function wayOf(packet: Buffer): string {
  return `${packet.subarray(12, 16).join('.')}>${packet.subarray(16, 20).join('.')}`;
}
