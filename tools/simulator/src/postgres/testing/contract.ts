/** A PostgreSQL server of a suite that the model and the real one both pass: what a cluster relies on, and what it must be wary of. */
export interface ContractServer {
  /** As its data directory says: a standby where it was made one. Resolves when it takes connections. */
  start(): Promise<void>;
  /** Fast: sessions end, a shutdown checkpoint is written. */
  stop(): Promise<void>;
  /** SIGKILL to all its processes. */
  kill(): Promise<void>;
  /** Begins to commit something; true once that is acknowledged. */
  write(): Promise<() => boolean>;
  promote(): Promise<void>;
  checkpoint(): Promise<void>;
  /** The timeline that it writes. */
  timeline(): Promise<number>;
  /** The timelines before one, by its history file; empty while there is none. */
  timelinesBefore(timeline: number): Promise<readonly number[]>;
  /** That of the latest checkpoint, by the control file. */
  controlTimeline(): Promise<number>;
  /** End of what is replayed, or of what is flushed. */
  position(): Promise<number>;
  isStreaming(): Promise<boolean>;
  /** `ANY 1 ("name")`, or nothing. */
  setNames(names: string): Promise<void>;
}

export interface ContractCluster<Server extends ContractServer = ContractServer> {
  /** A new server of its own, not started. */
  first(): Promise<Server>;
  /** A Replica by base backup of a server that runs, not started. */
  replicaOf(server: Server, name: string): Promise<Server>;
  /** Makes a stopped server a standby of another, with the slot of this name if there is to be one. */
  follow(server: Server, upstream: Server, slot?: string): Promise<void>;
  /** @throws Error that names what was waited for, if it does not come to hold. */
  eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void>;
  /** Lets time pass in which something could happen that must not. */
  aWhile(): Promise<void>;
  end(): Promise<void>;
}

export function describePostgres<Server extends ContractServer>(
  what: string,
  open: () => Promise<ContractCluster<Server>>,
): void {
  describe(what, () => {
    let cluster: ContractCluster<Server>;
    beforeEach(async () => {
      cluster = await open();
    });
    afterEach(() => cluster.end());

    const streaming = async (replica: Server): Promise<void> =>
      cluster.eventually('it streams', () => replica.isStreaming());
    const equal = async (a: Server, b: Server): Promise<void> =>
      cluster.eventually('both have the same', async () => (await a.position()) === (await b.position()));
    const written = async (server: Server): Promise<void> => {
      const isDone = await server.write();
      await cluster.eventually('a commit is acknowledged', isDone);
    };
    /** A Master that runs, and Replicas that stream from it. */
    const masterAnd = async (...names: readonly string[]): Promise<Server[]> => {
      const master = await cluster.first();
      await master.start();
      await written(master);
      const replicas: Server[] = [];
      for (const name of names) {
        const replica = await cluster.replicaOf(master, name);
        await replica.start();
        await streaming(replica);
        replicas.push(replica);
      }
      return [master, ...replicas];
    };

    it('streams to a Replica what it acknowledged', async () => {
      const [master, replica] = (await masterAnd('a')) as [Server, Server];
      await written(master);
      await equal(master, replica);
    });

    it('promotes to the next timeline, which its control file tells after a checkpoint at the latest', async () => {
      const [, replica] = (await masterAnd('a')) as [Server, Server];
      await replica.promote();
      expect(await replica.timeline()).toBe(2);
      // The real one begins a checkpoint by itself, and may be done with it.
      expect([1, 2]).toContain(await replica.controlTimeline());
      await replica.checkpoint();
      expect(await replica.controlTimeline()).toBe(2);
    });

    it('gives the same number to the timelines of two that promote apart from each other', async () => {
      const [master, a, b] = (await masterAnd('a', 'b')) as [Server, Server, Server];
      await master.kill();
      await a.promote();
      await b.promote();
      expect([await a.timeline(), await b.timeline()]).toEqual([2, 2]);
    });

    it('lets a Replica follow another that was promoted, onto its timeline', async () => {
      const [master, a, b] = (await masterAnd('a', 'b')) as [Server, Server, Server];
      await equal(master, a);
      await equal(master, b);
      await master.kill();
      await b.stop();
      await a.promote();
      await written(a);
      await cluster.follow(b, a);
      await b.start();
      await streaming(b);
      await equal(a, b);
    });

    it('goes by a timeline that it has heard of, though no WAL of it has come', async () => {
      const [master, a, b, c] = (await masterAnd('a', 'b', 'c')) as [Server, Server, Server, Server];
      for (const replica of [a, b, c]) await equal(master, replica);
      await master.kill();
      await a.promote();
      // The history file is asked for first, and the slot is not there.
      for (const replica of [b, c]) {
        await replica.stop();
        await cluster.follow(replica, a, 'absent');
        await replica.start();
        const hasHeard = async (): Promise<boolean> => (await replica.timelinesBefore(2)).length > 0;
        await cluster.eventually('it has heard of the new timeline', hasHeard);
      }
      await a.kill();
      await b.promote();
      expect(await b.timeline()).toBe(3);
      expect(await b.timelinesBefore(3)).toEqual([1, 2]);
      await c.stop();
      await cluster.follow(c, b);
      await c.start();
      await streaming(c);
      await written(b);
      await equal(b, c);
    });

    it('never streams to a former Master whose WAL reaches beyond the fork', async () => {
      const [master, replica] = (await masterAnd('a')) as [Server, Server];
      await equal(master, replica);
      await replica.promote();
      await written(replica);
      await written(master);
      await master.kill();
      await cluster.follow(master, replica);
      await master.start();
      await cluster.aWhile();
      const before = await replica.position();
      expect(await master.position()).not.toBe(before);
      await written(replica);
      await cluster.aWhile();
      expect(await master.position()).not.toBe(await replica.position());
    });

    it('sends everything at a clean stop, so that the stopped one can follow whoever has it', async () => {
      const [master, replica] = (await masterAnd('a')) as [Server, Server];
      await written(master);
      await master.stop();
      await replica.promote();
      await cluster.follow(master, replica);
      await master.start();
      await streaming(master);
      await written(replica);
      await equal(master, replica);
    });

    it('lets a commit wait for a named Replica that is away, and acknowledges it when it comes', async () => {
      const [master, replica] = (await masterAnd('a')) as [Server, Server];
      await master.setNames('ANY 1 ("a")');
      await written(master);
      await replica.kill();
      const isDone = await master.write();
      await cluster.aWhile();
      expect(isDone()).toBe(false);
      await replica.start();
      await cluster.eventually('the commit is acknowledged', isDone);
    });

    it('loses nothing by SIGKILL that it acknowledged', async () => {
      const [master] = (await masterAnd()) as [Server];
      await written(master);
      const before = await master.position();
      await master.kill();
      await master.start();
      expect(await master.position()).toBeGreaterThanOrEqual(before);
    });
  });
}
