import { createServer } from 'node:http';
import { hostname } from 'node:os';
import { ConsulClient, consulSettingsFromEnvironment } from '@ha-postgres/consul-election';
import { HaproxyRuntime } from '@ha-postgres/haproxy-runtime';
import { listenOn, runApp } from '@ha-postgres/service-kit';
import { configRules, options } from './config';
import { parseHaproxyAddress } from './haproxy-address';
import { httpListener } from './http';
import { LbSyncer } from './lb-syncer';

/** HAProxy answers in a millisecond: a longer silence means that it hangs. */
const HAPROXY_TIMEOUT_MS = 2000;

runApp({
  name: 'lb-syncer',
  description:
    'Routes: keeps HAProxy leading to the Master and the Replicas that Consul knows. Consul is found by CONSUL_HTTP_ADDR and the other variables of its own tools.',
  options,
  rules: configRules,
  start: async ({ config, log, metrics, onStop }) => {
    const client = new ConsulClient(consulSettingsFromEnvironment(process.env), { log });
    const haproxyAddress = parseHaproxyAddress(config.haproxyAddress);
    const runtime = new HaproxyRuntime(haproxyAddress, { timeoutMs: HAPROXY_TIMEOUT_MS });
    const syncer = new LbSyncer({
      name: config.name ?? hostname(),
      consulPrefix: config.consulPrefix,
      consulService: config.consulService,
      backends: {
        master: config.masterBackend,
        standby: config.standbyBackend,
        replication: config.replicationBackend ?? null,
      },
      pollIntervalMs: config.pollInterval,
      consulSilenceMaxMs: config.consulSilenceMax,
      haproxySilenceMaxMs: config.haproxySilenceMax,
      client,
      runtime,
      haproxyAddress,
      hold: {
        mode: config.hold,
        timeoutMs: config.holdTimeout,
        address: parseHaproxyAddress(config.holdAddress),
      },
      log,
      metrics,
    });
    onStop(() => client.close());
    syncer.start();
    onStop(() => syncer.stop());
    const close = await listenOn(
      createServer(
        httpListener(
          () => syncer.health(),
          () => syncer.metricsText(),
        ),
      ),
      config,
    );
    onStop(() => close());
  },
});
