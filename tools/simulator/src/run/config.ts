import { options, rules, type ControllerConfig } from '@ha-postgres/db-controller/controller';
import { readConfiguration } from '@ha-postgres/service-kit';

let base: ControllerConfig | null = null;

function defaults(): ControllerConfig {
  return (base ??= readConfiguration(options, {
    arguments: ['--node=n0', '--host=n0', '--socket=socket', '--state-dir=state', '--data-dir=data'],
    environment: { HAPG_CLUSTER_SECRET: 'secret', HAPG_CONTROLLER_PASSWORD: 'secret' },
  }).config);
}

/** The configuration of a node's controller. @throws RangeError if the times contradict each other. */
export function configOf(node: string, changes: Partial<ControllerConfig>): ControllerConfig {
  const config: ControllerConfig = { ...defaults(), ...changes, node, host: node, consulPrefix: 'c' };
  const [problem] = rules(config);
  if (problem !== undefined) throw new RangeError(problem);
  return config;
}
