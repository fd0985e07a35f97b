import { ServerFailure, type FailureKind, type HeldConnectionOptions } from '@ha-postgres/pg-health';
import type { HeldPort, PostgresPort } from '@ha-postgres/db-controller/controller';
import type { SimProcess } from '../world/sim-process';
import type { Random } from '../world/random';
import type { World } from '../world/world';
import type { Server } from './server';
import { Refused, execute } from './sql';

/** A client process of this node's PostgreSQL, and how it finds the server. */
export interface Client {
  readonly world: World;
  readonly random: Random;
  readonly process: SimProcess;
  readonly server: () => Server | null;
}

/** Why a connection is not made now; null: it is. */
function refusal(server: Server | null): FailureKind | null {
  if (server === null || !server.hasPostmaster || !server.process.isAlive) return 'refused';
  if (server.isStopping) return 'shutting-down';
  return server.isReady ? null : 'starting-up';
}

/** Calls a server and comes back, unless the time is over or the connection breaks. */
function roundTrip<T>(
  client: Client,
  server: Server,
  limitMs: number,
  serve: (answer: (value: T) => void) => void,
): Promise<T> {
  const { world, random, process } = client;
  return new Promise((resolve, reject) => {
    const settled = (then: () => void): void => {
      limit.cancel();
      forget();
      then();
    };
    const back = (ms: number, then: () => void): void =>
      void world.schedule(ms, () => process.deliver(() => settled(then)));
    const limit = process.clock.schedule(limitMs, () =>
      settled(() => reject(new ServerFailure('hung', 'no answer in time'))),
    );
    const forget = server.onLoss(() => back(0.1, () => reject(new ServerFailure('lost', 'the server ended'))));
    world.schedule(random.between(0.05, 0.6), () =>
      server.process.deliver(() => {
        const ms = random.between(0.05, 0.4);
        try {
          serve((answer) => back(ms, () => resolve(answer)));
        } catch (error) {
          if (!(error instanceof Refused || error instanceof ServerFailure))
            world.violated('the model is complete', String(error));
          back(ms, () => reject(failureOf(error)));
        }
      }),
    );
  });
}

function failureOf(error: unknown): Error {
  if (error instanceof Refused) return new ServerFailure('other', error.message, { sqlState: error.sqlState });
  return error instanceof Error ? error : new Error(String(error));
}

/** A connection that is kept, to the PostgreSQL of the same machine. */
class SimConnection implements HeldPort {
  private server: Server | null = null;
  private forget: () => void = () => undefined;

  constructor(
    private readonly client: Client,
    private readonly options: HeldConnectionOptions,
  ) {}

  get isOpen(): boolean {
    return this.server !== null;
  }

  async open(): Promise<void> {
    if (this.server !== null) return;
    const server = await connect(this.client, this.options.connectTimeoutMs);
    this.server = server;
    this.forget = server.onLoss(() =>
      this.client.world.schedule(0.1, () => this.client.process.deliver(() => this.lost(server, 'lost'))),
    );
  }

  async query<Row>(sql: string, params: readonly unknown[] = [], options: { timeoutMs?: number } = {}): Promise<Row[]> {
    const { server } = this;
    if (server === null) throw new ServerFailure('lost', 'the connection is not open');
    try {
      const limitMs = options.timeoutMs ?? this.options.queryTimeoutMs;
      const rows = await roundTrip<object[]>(this.client, server, limitMs, (answer) => {
        if (sql === 'CHECKPOINT') server.checkpoint(() => answer([]));
        else answer(execute(server, { sql, params }));
      });
      return rows as Row[];
    } catch (error) {
      if (error instanceof ServerFailure && error.kind === 'hung') this.lost(server, 'hung');
      throw error;
    }
  }

  close(): Promise<void> {
    this.forget();
    this.server = null;
    return Promise.resolve();
  }

  private lost(server: Server, kind: FailureKind): void {
    if (this.server !== server) return;
    this.forget();
    this.server = null;
    this.options.onLost(new ServerFailure(kind, 'the connection ended'));
  }
}

async function connect(client: Client, limitMs: number): Promise<Server> {
  const server = client.server();
  const why = refusal(server);
  if (server === null || why !== null) {
    await client.process.clock.pause(client.random.between(0.1, 0.5));
    throw new ServerFailure(why ?? 'refused', `the server is ${why ?? 'not there'}`);
  }
  return roundTrip(client, server, limitMs, (answer) => {
    const whyNow = refusal(server);
    if (whyNow !== null) throw new ServerFailure(whyNow, `the server is ${whyNow}`);
    answer(server);
  });
}

/** PostgreSQL of this node as its controller reaches it. */
export function postgresPort(client: Client): PostgresPort {
  return {
    aliveCheck: ({ connectTimeoutMs }) => ({
      run: async () => {
        const startedAt = client.process.clock.now();
        const elapsed = (): number => client.process.clock.now() - startedAt;
        try {
          const server = await connect(client, connectTimeoutMs);
          if (server.around.behaviour.isFull)
            throw new ServerFailure('too-many-connections', 'sorry, too many clients');
          return { alive: true, elapsedMs: elapsed(), inRecovery: server.inRecovery };
        } catch (error) {
          if (!(error instanceof ServerFailure)) throw error;
          return { alive: false, elapsedMs: elapsed(), failure: error.kind, message: error.message };
        }
      },
    }),
    hold: (options) => new SimConnection(client, options),
  };
}
