import { describe, expect, it } from '@jest/globals';
import { POLICY, address, known, replica, syncValue } from './testing/observations';
import { wayTo } from './replication-way';

const upstream = { ...address('a'), term: 6, slot: 'ha_6_b' };
const replicationDoors = [
  { host: 'lb0', port: 5434 },
  { host: 'lb1', port: 5434 },
];
const through = replica({ policy: { ...POLICY, replicationDoors } });
const sync = (value: ReturnType<typeof syncValue>) => known({ value, isReadable: true });

describe('WAL comes', () => {
  it('straight from the Master, unless load balancers are named', () => {
    expect(wayTo(replica(), upstream)).toEqual(upstream);
    expect(wayTo(replica({ policy: { ...POLICY, replicationDoors: [] } }), upstream)).toEqual(upstream);
  });

  it('through the load balancers that are named, in their order', () => {
    expect(wayTo(through, upstream)).toEqual({ ...upstream, via: replicationDoors });
  });

  it('straight as long as the Master keeps no slot, whose name would refuse WAL of another term', () => {
    const { slot: _, ...without } = upstream;
    expect(wayTo(through, without)).toEqual(without);
  });

  it('straight while commits wait for Replicas by the key, whatever the options of this node say', () => {
    expect(wayTo({ ...through, sync: sync(syncValue({ mode: 'quorum', k: 1, names: ['a', 'b'] })) }, upstream)).toEqual(
      upstream,
    );
    expect(
      wayTo({ ...through, sync: sync(syncValue({ mode: 'async', k: 0, names: [], previous: null })) }, upstream),
    ).toEqual({ ...upstream, via: replicationDoors });
  });
});
