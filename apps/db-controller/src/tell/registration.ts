import { NO_LOAD_BALANCE_TAG, type NodeStatus, type Role } from '@ha-postgres/cluster-state';
import { codeOf, isSameJson, messageOf, type Millis, type Timer } from '@ha-postgres/service-kit';
import { untilTogether } from '../observe/together';
import type { Parts } from '../parts';
import { OwnStatus } from './own-status';
import { toldRecovery } from './readiness';

const TTL_MS = 30_000;
/** Checks are renewed well within their TTL. */
const RENEW_MS = 10_000;
const STATUS_MS = 1000;
const CALL_MS = 2000;

interface Told {
  readonly role: string;
  readonly status: string;
  readonly service: string;
  readonly checks: string;
}

/** What somebody may wait for, at every decision; the whole of a node's status is worked out when it is wanted. */
export interface StatusTold {
  readonly role: NodeStatus['role'];
  readonly postgresAlive: boolean;
  readonly switchover: NodeStatus['switchover'];
  readonly whyNoReads: string | null;
  readonly whole: () => NodeStatus;
}

const NOTHING: Told = { role: '', status: '', service: '', checks: '' };

/**
 * What is told to people and to the load balancers through Consul: the service with its checks, role and status of this
 * node. Nothing here gives or takes a right; all of it is repeated until Consul has it.
 */
export class Registration {
  private told: StatusTold | null = null;
  private written: Told = NOTHING;
  private checksAt: Millis = Number.NEGATIVE_INFINITY;
  private running: Promise<void> | null = null;
  private again = false;
  private timer: Timer | null = null;

  private readonly ownStatus: OwnStatus;

  constructor(private readonly parts: Parts) {
    this.ownStatus = new OwnStatus(parts, parts.incarnation, () => {
      this.written = NOTHING;
    });
  }

  start(): void {
    this.write();
    const { clock } = this.parts;
    this.timer = clock.schedule(untilTogether(clock.now(), STATUS_MS), () => this.start());
  }

  stop(): void {
    this.timer?.cancel();
  }

  /** Takes note; a changed role or health is written at once, everything else once a second. */
  tell(told: StatusTold): void {
    const urgent = !isSameJson(urgentOf(told), urgentOf(this.told));
    this.told = told;
    if (urgent) this.write();
  }

  private write(): void {
    this.again = true;
    this.running ??= this.writeAll().finally(() => (this.running = null));
  }

  private async writeAll(): Promise<void> {
    while (this.again) {
      this.again = false;
      try {
        await this.writeOnce();
      } catch (error) {
        if (codeOf(error) === 'HAPG_NODE_NAME_TAKEN') this.parts.fail(error);
        this.parts.log.debug({ event: 'registration.failed', why: messageOf(error) }, 'could not tell Consul');
      }
    }
  }

  private async writeOnce(): Promise<void> {
    const isClaimed = await this.claim();
    const status = this.told?.whole();
    // While a hold ends the key still says Master: checks turn critical, and roles change, only after the release.
    if (status?.role == null || (this.parts.facts.hold !== null && status.role !== 'Master')) return;
    const isNew = this.written.service === '';
    if (isNew) await this.once('service', tagsOf(status), (tags) => this.register(status, tags));
    // Before the role: a stopped Master that is called a Replica must not be taken for a healthy one.
    await this.updateChecks(status);
    if (!isClaimed) return;
    await this.once('role', status.role, (role) => this.put(this.parts.keys.role(status.node), role));
    await this.once('service', tagsOf(status), (tags) => this.register(status, tags));
    await this.once('status', JSON.stringify(status), (text) => this.ownStatus.write(text));
    if (await this.ownStatus.look()) await this.lookAtRole(status);
  }

  /** Whoever overwrote it: what is written only when it changes would stay wrong. */
  private async lookAtRole({ node, role }: NodeStatus): Promise<void> {
    const { entry } = await this.parts.client.kvGet(this.parts.keys.role(node), {
      consistency: 'consistent',
      timeoutMs: CALL_MS,
    });
    if (entry?.value !== role) this.written = { ...this.written, role: '' };
  }

  /** False while Consul does not say: the agent is told all the same, whose checks would else run out. */
  private async claim(): Promise<boolean> {
    try {
      await this.ownStatus.claim();
      return true;
    } catch (error) {
      if (codeOf(error) === 'HAPG_NODE_NAME_TAKEN') throw error;
      return false;
    }
  }

  private async once(what: keyof Told, value: string, write: (value: string) => Promise<void>): Promise<void> {
    if (this.written[what] === value) return;
    await write(value);
    this.written = { ...this.written, [what]: value };
  }

  private async put(key: string, value: string): Promise<void> {
    await this.parts.client.kvPut(key, value, { timeoutMs: CALL_MS });
  }

  private async register(status: NodeStatus, tags: string): Promise<void> {
    const { config, client } = this.parts;
    await client.registerService(
      {
        id: `${config.consulService}-${status.node}`,
        name: config.consulService,
        address: status.host,
        port: status.port,
        tags: tags.split(','),
        meta: { node: status.node, apiPort: String(status.apiPort) },
        checks: [
          { id: 'postgresAlive', name: 'postgresAlive', ttlMs: TTL_MS },
          { id: 'postgresStandbyReplication', name: 'postgresStandbyReplication', ttlMs: TTL_MS },
        ],
      },
      { timeoutMs: CALL_MS },
    );
  }

  private async updateChecks(status: NodeStatus): Promise<void> {
    const { client, postgres, facts } = this.parts;
    const seen = { postgres: { inRecovery: status.inRecovery }, runner: facts.runner };
    const alive = status.postgresAlive && toldRecovery(seen, postgres) !== null;
    // A Master has nobody to stream from.
    const streams =
      status.role === 'Master' || (!postgres.isReplicationFailing && alive && (isTagged(status) || hasReads(status)));
    const text = JSON.stringify([alive, streams, status.role]);
    if (text === this.written.checks && this.parts.clock.now() < this.checksAt + RENEW_MS) return;
    const says = (role: Role | null) =>
      `role ${role ?? 'undecided'}, ${status.rule}${hasReads(status) ? '' : `; no reads: ${status.whyNoReads ?? ''}`}`;
    try {
      await client.updateTtlCheck(
        'postgresAlive',
        alive ? 'passing' : 'critical',
        status.lastError ?? says(status.role),
        { timeoutMs: CALL_MS },
      );
      await client.updateTtlCheck('postgresStandbyReplication', streams ? 'passing' : 'critical', says(status.role), {
        timeoutMs: CALL_MS,
      });
    } catch (error) {
      // An agent that was restarted without its data does not know the service any more.
      this.written = { ...this.written, service: '', checks: '' };
      throw error;
    }
    this.written = { ...this.written, checks: text };
    this.checksAt = this.parts.clock.now();
  }
}

const hasReads = ({ whyNoReads }: Pick<NodeStatus, 'whyNoReads'>): boolean => (whyNoReads ?? null) === null;
const isTagged = ({ tags }: NodeStatus): boolean => tags.noLoadBalance === true;

/**
 * Joined by commas. Whoever is not to get readers is none of those that DNS calls `replica`; and says so as Master, too, for its role
 * changes before its tags do.
 */
function tagsOf(status: NodeStatus): string {
  const isMaster = status.role === 'Master';
  if (!isTagged(status)) return isMaster ? 'master' : 'replica';
  return isMaster ? `master,${NO_LOAD_BALANCE_TAG}` : NO_LOAD_BALANCE_TAG;
}

/** What somebody waits for. */
function urgentOf(status: StatusTold | null): readonly unknown[] {
  const hasReaders = status !== null && hasReads(status);
  return [status?.role, status?.postgresAlive, status?.switchover, hasReaders];
}
