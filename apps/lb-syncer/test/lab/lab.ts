import { ConsulClient, silentLog as quietConsul } from '@ha-postgres/consul-election';
import type { HaproxyConfigInput } from '@ha-postgres/haproxy-config';
import { Metrics, silentLog, type Log } from '@ha-postgres/service-kit';
import { LbSyncer, type LbSyncerOptions } from '../../src/lb-syncer';
import { LabCluster } from './cluster';
import { startConsul, type Consul } from './consul';
import { startHaproxy, type Haproxy } from './haproxy';
import { LabNode } from './node';

/** Real Consul and HAProxy, three nodes that are not, and an lb-syncer between them. */
export interface Lab {
  readonly consul: Consul;
  readonly haproxy: Haproxy;
  readonly cluster: LabCluster;
  readonly nodes: readonly [LabNode, LabNode, LabNode];
  readonly syncer: () => LbSyncer;
  /** Names everything in Consul that lb-syncer said it could not read. */
  readonly unreadable: readonly string[];
  readonly startSyncer: (hold?: LabHold) => LbSyncer;
  readonly stopSyncer: () => Promise<void>;
  readonly end: () => Promise<void>;
}

/** What differs from the defaults. */
export type LabHold = Partial<Pick<LbSyncerOptions['hold'], 'mode' | 'timeoutMs'>>;

type End = () => Promise<void>;

/** Everything that was started ends, also if starting the rest fails. `config`: what differs in `haproxy.cfg`. */
export async function startLab(config: HaproxyConfigInput = {}): Promise<Lab> {
  const ends: End[] = [];
  const end = async (): Promise<void> => {
    for (const one of ends.splice(0).reverse()) await one();
  };
  try {
    return await build(ends, end, config);
  } catch (error) {
    await end();
    throw error;
  }
}

async function build(ends: End[], end: End, config: HaproxyConfigInput): Promise<Lab> {
  const consul = await startConsul();
  ends.push(consul.end);
  const haproxy = await startHaproxy(config);
  ends.push(haproxy.end);
  const nodes = [new LabNode('pg-0'), new LabNode('pg-1'), new LabNode('pg-2')] as const;
  for (const node of nodes) {
    await node.start();
    ends.push(() => node.end());
  }
  let syncer: LbSyncer | null = null;
  const unreadable: string[] = [];
  const client = new ConsulClient({ address: consul.address, requestTimeoutMs: 2000 }, { log: quietConsul });
  ends.push(() => {
    client.close();
    return Promise.resolve();
  });
  const stopSyncer = async (): Promise<void> => {
    await syncer?.stop();
    syncer = null;
  };
  ends.push(stopSyncer);
  return {
    consul,
    haproxy,
    nodes,
    unreadable,
    cluster: new LabCluster(consul.client),
    syncer: () => {
      if (syncer === null) throw new Error('no lb-syncer runs');
      return syncer;
    },
    startSyncer: (hold = {}) => (syncer = makeSyncer(client, haproxy, unreadable, hold)),
    stopSyncer,
    end,
  };
}

function makeSyncer(client: ConsulClient, haproxy: Haproxy, unreadable: string[], hold: LabHold): LbSyncer {
  const warn = (fields: object): void => {
    if ('what' in fields && 'event' in fields && fields.event === 'consul.unreadable')
      unreadable.push(String(fields.what));
  };
  const log: Log = { ...silentLog, warn };
  const syncer = new LbSyncer({
    name: 'lb-0',
    consulPrefix: 'service/postgres',
    consulService: 'postgres',
    backends: { master: 'master', standby: 'standby', replication: 'replication' },
    pollIntervalMs: 1000,
    consulSilenceMaxMs: 2000,
    haproxySilenceMaxMs: 2000,
    client,
    runtime: haproxy.runtime,
    haproxyAddress: haproxy.admin,
    hold: { mode: 'switchover', timeoutMs: 10_000, ...hold, address: { path: haproxy.holdAddress } },
    log,
    metrics: new Metrics({ processMetrics: false }),
  });
  syncer.start();
  return syncer;
}
