import { basename, join } from 'node:path';
import { consulSpec, loadBalancerSpecs, nodeSpecs, type SpecContext } from './process-specs';
import { withLayout } from './testing-layout';

const programs = {
  consul: '/bin/consul',
  haproxy: '/bin/haproxy',
  postgresBin: '/postgres/bin',
  dbController: '/apps/db-controller.js',
  roleServer: '/apps/role-server.js',
  postgresRunner: '/apps/postgres-runner.js',
  lbSyncer: '/apps/lb-syncer.js',
};

const withSpecs = (use: (context: SpecContext, specs: ReturnType<typeof nodeSpecs>) => void, settings = {}) =>
  withLayout((layout) => {
    const context = { layout, programs, settings, postgresUser: 'postgres' };
    const [node] = layout.nodes;
    if (node === undefined) throw new Error('no node in the layout');
    use(context, nodeSpecs(context, node));
  });

const named = (specs: ReturnType<typeof nodeSpecs>, name: string) => {
  const spec = specs.find((candidate) => candidate.name === name);
  if (spec === undefined) throw new Error(`no process ${name}`);
  return spec;
};

describe('the processes of a node', () => {
  it('find each other: the runner its role-server, and that one its controller', async () => {
    await withSpecs((_, specs) => {
      const [roleServer, controller, runner] = ['role-server', 'db-controller', 'postgres-runner'].map(
        (name) => named(specs, name).env,
      );
      expect(runner?.HAPG_ROLE_SERVER_URL).toBe(`http://127.0.0.1:${roleServer?.HAPG_PORT ?? ''}`);
      expect(roleServer?.HAPG_CONTROLLER_SOCKET).toBe(controller?.HAPG_SOCKET);
      expect(controller?.HAPG_API_PORT).toBe(roleServer?.HAPG_PORT);
      expect(controller?.HAPG_POSTGRES_PORT).toBe(runner?.HAPG_PORT);
      expect(controller?.HAPG_DATA_DIR).toBe(runner?.HAPG_DATA_DIR);
    });
  });

  it('share the secrets that have to agree, and keep what survives a restart outside the data directory', async () => {
    await withSpecs((_, specs) => {
      const { env: controller } = named(specs, 'db-controller');
      const { env: runner } = named(specs, 'postgres-runner');
      expect(controller.HAPG_CONTROLLER_PASSWORD).toBe(runner.HAPG_CONTROLLER_PASSWORD);
      expect(controller.HAPG_CLUSTER_SECRET).toBe(named(specs, 'role-server').env.HAPG_CLUSTER_SECRET);
      for (const { HAPG_STATE_DIR: stateDir } of [controller, runner]) {
        expect(stateDir?.startsWith(`${runner.HAPG_DATA_DIR ?? ''}/`)).toBe(false);
      }
      expect(controller.HAPG_STATE_DIR).not.toBe(runner.HAPG_STATE_DIR);
    });
  });

  it('run in the directory by which they are found, and log beside it', async () => {
    await withSpecs(({ layout }, specs) => {
      expect(specs.map(({ cwd }) => cwd)).toEqual(specs.map(() => `${layout.workdir}/node0`));
      expect(named(specs, 'role-server').logFile).toBe(`${layout.workdir}/logs/node0-role-server.log`);
    });
  });

  it('see a wall clock of their own if they are to, and the machine’s monotonic time', async () => {
    await withSpecs((context) => {
      const [node] = context.layout.nodes;
      if (node === undefined) throw new Error('no node in the layout');
      for (const { env } of nodeSpecs(context, node)) expect(env).not.toHaveProperty('LD_PRELOAD');
      for (const { env } of nodeSpecs({ ...context, clockLibrary: '/lib/clock.so' }, node)) {
        expect(env).toMatchObject({
          LD_PRELOAD: '/lib/clock.so',
          FAKETIME_TIMESTAMP_FILE: join(node.dir, 'clock'),
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
        });
      }
    });
  });

  it('are told what was set, which goes before what they are told otherwise', async () => {
    await withSpecs(
      (_, specs) => {
        const { env } = named(specs, 'db-controller');
        expect([env.HAPG_LEASE_DURATION, env.HAPG_DATABASE]).toEqual(['5s', 'other']);
      },
      { leaseDuration: '5s', database: 'other' },
    );
  });

  it('inherit nothing of the caller but what programs need', async () => {
    process.env.HAPG_CANARY = 'leaked';
    try {
      await withSpecs((_, specs) => {
        for (const { env } of specs) expect(env).not.toHaveProperty('HAPG_CANARY');
      });
    } finally {
      delete process.env.HAPG_CANARY;
    }
  });
});

describe('the processes of a cluster with a network of its own', () => {
  const network = { id: 'hapgtest', subnet: '10.64.0' };
  const withOwnNetwork = (use: (context: SpecContext) => void) =>
    withLayout((layout) => use({ layout: { ...layout, network }, programs, settings: {}, postgresUser: null }));

  it('run in the namespace of their member', async () => {
    await withOwnNetwork((context) => {
      const { nodes, loadBalancers, servers } = context.layout;
      const specs = [
        ...nodes.flatMap((node) => nodeSpecs(context, node)),
        ...loadBalancers.flatMap((lb) => loadBalancerSpecs(context, lb)),
        ...servers.map(({ name, dir }) => consulSpec(context, name, dir)),
      ];
      for (const { command, args, cwd } of specs) {
        expect(command).toMatch(/nsenter$/);
        expect(args[0]).toBe(`--net=/run/netns/hapgtest-${basename(cwd)}`);
      }
    });
  });

  it('find their own node by loopback, and are reached by others at its address', async () => {
    await withOwnNetwork((context) => {
      const [node] = context.layout.nodes;
      if (node === undefined) throw new Error('no node in the layout');
      const specs = nodeSpecs(context, node);
      const [{ env: runner }, { env: controller }, { env: roleServer }] = [
        named(specs, 'postgres-runner'),
        named(specs, 'db-controller'),
        named(specs, 'role-server'),
      ];
      expect(runner.HAPG_ROLE_SERVER_URL).toBe(`http://127.0.0.1:${node.apiPort}`);
      expect(controller).toMatchObject({ HAPG_HOST: '10.64.0.30', HAPG_POSTGRES_HOST: '127.0.0.1' });
      expect([runner.HAPG_LISTEN_ADDRESSES, roleServer.HAPG_HOST]).toEqual(['0.0.0.0', '0.0.0.0']);
      expect(controller.CONSUL_HTTP_ADDR).toBe(`http://10.64.0.30:${node.agent.httpPort}`);
      expect(controller.HAPG_CONSUL_SERVERS).toContain('http://10.64.0.12:');
    });
  });
});

describe('the processes of a load balancer', () => {
  it('know each other: lb-syncer the Runtime API of its HAProxy', async () => {
    await withSpecs((context) => {
      const [lb] = context.layout.loadBalancers;
      if (lb === undefined) throw new Error('no load balancer in the layout');
      const [haproxy, syncer] = loadBalancerSpecs(context, lb);
      expect(haproxy?.args).toContain(`${lb.dir}/haproxy.cfg`);
      expect(syncer?.env.HAPG_HAPROXY_ADDRESS).toBe(`127.0.0.1:${lb.adminPort}`);
      expect(consulSpec(context, lb.name, lb.dir).args).toEqual(['agent', `-config-file=${lb.dir}/consul.json`]);
    });
  });
});
