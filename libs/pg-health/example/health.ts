import { formatLsn } from '@ha-postgres/lsn';
import { AliveCheck, HeldConnection, readServerState } from '@ha-postgres/pg-health';

const target = {
  host: process.env.PGHOST ?? '127.0.0.1',
  port: Number(process.env.PGPORT ?? 5432),
  user: process.env.PGUSER ?? 'postgres',
  password: process.env.PGPASSWORD ?? '',
  database: 'postgres',
};
const timeouts = { connectTimeoutMs: 1000, queryTimeoutMs: 1000 };
const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const result = await new AliveCheck(target, timeouts).run();
  if (!result.alive) {
    say(`not alive: ${result.failure}: ${result.message}`);
    return;
  }

  const held = new HeldConnection(target, { ...timeouts, onLost: (failure) => say(`lost: ${failure.message}`) });
  await held.open();
  const state = await readServerState(held);
  say(`${state.inRecovery ? 'Replica' : 'Master'} on timeline ${state.timeline} at ${formatLsn(state.position)}`);
  await held.close();
}

void main();
