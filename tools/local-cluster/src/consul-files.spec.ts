import { consulConfig, parseConsulVersion } from './consul-files';
import { withLayout } from './testing-layout';

const identity = { name: 'node0', dir: '/w/node0', httpPort: 1, serverPort: 2, gossipPort: 3 };

describe('the configuration of Consul', () => {
  it('lets a server wait for all servers, and an agent for none', async () => {
    await withLayout((layout) => {
      const version = { major: 1, minor: 8 };
      expect(consulConfig(layout, { ...identity, isServer: true }, version)).toMatchObject({
        server: true,
        bootstrap_expect: 3,
      });
      expect(consulConfig(layout, { ...identity, isServer: false }, version)).not.toHaveProperty('bootstrap_expect');
    });
  });

  it('closes every port that is not used, also the one that newer versions open', async () => {
    await withLayout((layout) => {
      const agent = { ...identity, isServer: false };
      expect(consulConfig(layout, agent, { major: 1, minor: 8 })).toMatchObject({
        ports: { http: 1, server: 2, serf_lan: 3, serf_wan: -1, dns: -1, grpc: -1 },
      });
      expect(consulConfig(layout, agent, { major: 1, minor: 8 })).not.toHaveProperty('ports.grpc_tls');
      expect(consulConfig(layout, agent, { major: 1, minor: 14 })).toHaveProperty('ports.grpc_tls', -1);
    });
  });

  it('reads the version from what Consul prints', () => {
    expect(parseConsulVersion('Consul v1.21.3\nRevision abc\n')).toEqual({ major: 1, minor: 21 });
    expect(() => parseConsulVersion('command not found')).toThrow('command not found');
  });
});
