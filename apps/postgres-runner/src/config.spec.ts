import { readConfiguration } from '@ha-postgres/service-kit';
import { configProblems, options } from './config';

const SECRETS = { HAPG_SUPERUSER_PASSWORD: 'a', HAPG_REPLICATION_PASSWORD: 'b' };
const GIVEN = ['--node', 'a', '--data-dir', '/data/pg', '--state-dir', '/data/state'];

function read(...more: string[]) {
  return readConfiguration(options, { arguments: [...GIVEN, ...more], environment: SECRETS }, configProblems).config;
}

test('the least that must be given has defaults for the rest', () => {
  expect(read()).toMatchObject({ port: 5432, stopTimeout: 3_000, walKeepSize: 512 * 2 ** 20, settings: [] });
});

test('contradictions are told all at once', () => {
  const bad = ['--state-dir', '/data/pg/state', '--replication-name', 'postgres', '--settings', 'fsync=off'];
  expect(() => read(...bad)).toThrow(/stateDir[^]*must differ|must differ[^]*stateDir/);
  expect(() => read(...bad)).toThrow(/fsync/);
  expect(() => read('--data-dir', 'relative')).toThrow(/not an absolute path/);
});
