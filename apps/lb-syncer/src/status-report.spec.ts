import type { ConsulApi, KvEntry, TxnOperation } from '@ha-postgres/consul-election';
import { silentLog } from '@ha-postgres/service-kit';
import { StatusReport } from './status-report';

type Client = Pick<ConsulApi, 'kvGet' | 'transaction' | 'sessionCreate' | 'sessionRenew' | 'sessionDestroy'>;

/** One key and its sessions, as Consul keeps them. */
class ModelConsul implements Client {
  readonly sessions = new Set<string>();
  entry: { value: string; session: string | null; index: number } | null = null;
  writes = 0;
  isAway = false;
  #made = 0;

  #answer<T>(give: () => T): Promise<T> {
    return this.isAway ? Promise.reject(new Error('away')) : Promise.resolve(give());
  }

  sessionCreate(): Promise<string> {
    return this.#answer(() => {
      const id = `own-${(this.#made += 1)}`;
      this.sessions.add(id);
      return id;
    });
  }

  sessionRenew(id: string): Promise<'renewed' | 'gone'> {
    return this.#answer(() => (this.sessions.has(id) ? 'renewed' : 'gone'));
  }

  sessionDestroy(id: string): Promise<void> {
    return this.#answer(() => this.endSession(id));
  }

  endSession(id: string): void {
    this.sessions.delete(id);
    if (this.entry?.session === id) this.entry = null;
  }

  kvGet(): ReturnType<Client['kvGet']> {
    const { entry } = this;
    const found: KvEntry | null =
      entry === null
        ? null
        : {
            key: 'k',
            value: entry.value,
            session: entry.session,
            modifyIndex: entry.index,
            createIndex: 1,
            lockIndex: 1,
            flags: 0,
          };
    return this.#answer(() => ({
      entry: found,
      index: 1,
      sentAt: 0,
      receivedAt: 0,
      knownLeader: true,
      lastContactMs: 0,
    }));
  }

  transaction(operations: readonly TxnOperation[]): ReturnType<Client['transaction']> {
    return this.#answer(() => {
      const what = operations.map((operation) => this.#do(operation)).find((refusal) => refusal !== null);
      const times = { sentAt: 0, receivedAt: 0 };
      return what === undefined
        ? { committed: true as const, entries: [], ...times }
        : { committed: false as const, errors: [{ opIndex: 0, what }], ...times };
    });
  }

  #do(operation: TxnOperation): string | null {
    if (operation.verb === 'delete-cas') {
      if (this.entry?.index === operation.index) this.entry = null;
      return null;
    }
    if (operation.verb !== 'lock') throw new Error(`not modelled: ${operation.verb}`);
    if (!this.sessions.has(operation.session)) return `invalid session "${operation.session}"`;
    if (this.entry !== null && this.entry.session !== null && this.entry.session !== operation.session) {
      return 'failed to lock key "k", lock is already held';
    }
    this.writes += 1;
    this.entry = { value: operation.value, session: operation.session, index: this.writes };
    return null;
  }
}

const status = (master: string | null) => ({ name: 'lb-0', appliedIndex: 7, master, holding: false, standbys: [] });

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let turns = 0; turns < 3000; turns += 1) {
    if (holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`never happened: ${what}`);
}

const running: StatusReport[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((report) => report.stop()));
});

function start(consul: ModelConsul): StatusReport {
  const options = { client: consul, key: 'k', name: 'lb-0', log: silentLog, sessionTtlMs: 30 };
  const report = new StatusReport(options);
  running.push(report);
  report.start();
  return report;
}

const says = (consul: ModelConsul, master: string): boolean =>
  consul.entry?.value.includes(`"master":"${master}"`) === true;

describe('StatusReport', () => {
  it('writes what changed, once, under a session of its own, and takes it back at the end', async () => {
    const consul = new ModelConsul();
    const report = start(consul);
    report.report(status('pg-0'));
    report.report(status('pg-0'));
    await until('it is written', () => says(consul, 'pg-0'));
    expect(consul.sessions.has(consul.entry?.session ?? '')).toBe(true);
    report.report(status('pg-0'));
    report.report(status('pg-1'));
    await until('the change is written', () => says(consul, 'pg-1'));
    expect(consul.writes).toBe(2);
    await report.stop();
    expect(consul.entry).toBeNull();
  });

  it('writes again when its session has ended', async () => {
    const consul = new ModelConsul();
    start(consul).report(status('pg-0'));
    await until('it is written', () => says(consul, 'pg-0'));
    consul.endSession(consul.entry?.session ?? '');
    expect(consul.entry).toBeNull();
    await until('it is written again', () => says(consul, 'pg-0'));
  });

  it('replaces the report of a killed predecessor, whose session still lives', async () => {
    const consul = new ModelConsul();
    consul.sessions.add('killed');
    consul.entry = { value: 'old', session: 'killed', index: 99 };
    start(consul).report(status('pg-0'));
    await until('it is written', () => says(consul, 'pg-0'));
    expect(consul.entry.session).not.toBe('killed');
  });

  it('writes when Consul is back', async () => {
    const consul = new ModelConsul();
    consul.isAway = true;
    start(consul).report(status('pg-0'));
    consul.isAway = false;
    await until('it is written', () => says(consul, 'pg-0'));
  });
});
