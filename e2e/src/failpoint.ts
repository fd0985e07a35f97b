import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RemoteCluster } from '@ha-postgres/local-cluster';
import { logOf } from './log-of';

/** In the order in which a switchover comes by: the first four at its Master, the others at its successor. */
export type FailpointName =
  | 'switchover-accepted'
  | 'switchover-draining'
  | 'switchover-stopped'
  | 'switchover-released'
  | 'before-promote'
  | 'before-running'
  /** A Master is about to write the list of members. */
  | 'before-members';

/**
 * A place where a node's db-controller waits while a file is there, so that what holds in between can be looked at without
 * haste; or where it kills itself, once. The cluster needs the setting `failpoints: 'true'`.
 */
export class Failpoint {
  private readonly file: string;
  private reachedBefore = 0;

  constructor(
    private readonly cluster: RemoteCluster,
    readonly node: string,
    private readonly name: FailpointName,
  ) {
    this.file = join(cluster.workdir, node, 'controller', `failpoint-${name}`);
  }

  set(what: 'wait' | 'kill' = 'wait'): void {
    this.reachedBefore = this.timesReached();
    writeFileSync(this.file, `${what}\n`);
  }

  /** Lets the controller go on. */
  remove(): void {
    rmSync(this.file, { force: true });
  }

  /** Whether the controller has come there since this was set. */
  isReached(): boolean {
    return this.timesReached() > this.reachedBefore;
  }

  private timesReached(): number {
    return logOf(this.cluster, `${this.node}/db-controller`).filter(
      (line) => line.event === 'failpoint' && line.name === this.name,
    ).length;
  }
}
