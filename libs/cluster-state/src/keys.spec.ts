import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { clusterKeys, nodeNameProblem, nodeOrdinal } from './keys';

const keys = clusterKeys('service/postgres');
const fixed = [
  keys.master,
  keys.initialize,
  keys.members,
  keys.sync,
  keys.config,
  keys.switchover,
  keys.override,
  keys.pause,
  keys.history,
];

describe('the keys of a cluster', () => {
  it('lie under its prefix', () => {
    expect(keys.master).toBe('service/postgres/master');
    expect(keys.role('pg-0')).toBe('service/postgres/pg-0/role');
    expect(keys.status('pg-0')).toBe('service/postgres/pg-0/status');
    expect(keys.lbStatus('lb-0')).toBe('service/postgres/lb/lb-0/status');
    expect(new Set(fixed).size).toBe(fixed.length);
    for (const key of fixed) expect(key).toMatch(/^service\/postgres\/[a-z]+$/);
  });

  it.each(['', '/', '/service', 'service/'])('refuse the prefix %j and name it', (prefix) => {
    expect(() => clusterKeys(prefix)).toThrow(JSON.stringify(prefix));
  });
});

describe("a node's name", () => {
  it.each(['a', 'ha-postgres-0', 'Node_1.example', '0', 'x'.repeat(63)])('may be %s', (name) => {
    expect(nodeNameProblem(name)).toBeNull();
  });

  it.each(['', '-a', 'a-', '.', 'a/b', 'a b', 'ä', 'a\n', 'x'.repeat(64)])('may not be %j', (name) => {
    expect(nodeNameProblem(name)).toContain(JSON.stringify(name));
  });

  it('may not be that of a fixed key, nor the folder of the load balancers', () => {
    for (const key of [...fixed, `${keys.prefix}/lb`]) {
      const name = key.slice(keys.prefix.length + 1);
      expect(nodeNameProblem(name)).toBe(`node name "${name}" is the name of a fixed key`);
    }
  });

  it('where allowed, never leads its keys into those of others', () => {
    const others = new Set([...fixed, keys.lbStatus('x')]);
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), (name) => {
        if (nodeNameProblem(name) !== null) return true;
        const own = [keys.role(name), keys.status(name)];
        return own.every((key) => !others.has(key) && key.split('/').length === 4);
      }),
    );
  });
});

describe("a node's ordinal", () => {
  it.each([
    ['ha-postgres-0', 0],
    ['ha-postgres-12', 12],
    ['pg3', 3],
    ['ha-postgres', null],
    ['ha-postgres-0-old', null],
    ['', null],
  ])('of %j is %j', (name, ordinal) => {
    expect(nodeOrdinal(name)).toBe(ordinal);
  });
});
