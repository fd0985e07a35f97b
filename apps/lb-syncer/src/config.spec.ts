import { readConfiguration } from '@ha-postgres/service-kit';
import { configRules, options } from './config';

const read = (...args: string[]) => readConfiguration(options, { arguments: args, environment: {} }, configRules);

describe('configuration', () => {
  it('needs nothing but its defaults', () => {
    expect(read().config).toMatchObject({
      consulPrefix: 'service/postgres',
      haproxyAddress: '127.0.0.1:9998',
      port: 8080,
    });
  });

  it.each([
    [['--haproxy-address', 'nowhere'], '"nowhere"'],
    [['--consul-prefix', '/service'], '"/service"'],
    [['--standby-backend', 'master'], 'master, master'],
    [['--consul-silence-max', '5s'], 'consulSilenceMax 5000 ms'],
    [['--haproxy-silence-max', '1s', '--poll-interval', '2s'], 'pollInterval 2000 ms'],
    [['--name', 'a/b'], 'a/b'],
  ])('refuses %j and names the value', (args, named) => {
    expect(() => read(...args)).toThrow(named);
  });
});
