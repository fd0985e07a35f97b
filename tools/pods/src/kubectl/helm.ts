import { parseArgs } from 'node:util';
import type { PodsCluster } from '../run/pods-cluster';
import { tryPodman } from '../run/podman';
import { runProgram } from '../run/program';
import { realHelm, renderAsked } from '../release';
import type { Called } from './kubectl-door';

/** What `helm upgrade` takes beside what it has in common with `helm template`. */
const OF_UPGRADE = {
  install: { type: 'boolean' },
  'kube-context': { type: 'string' },
  namespace: { type: 'string' },
  'create-namespace': { type: 'boolean' },
  wait: { type: 'boolean' },
  timeout: { type: 'string' },
  values: { type: 'string', multiple: true },
  set: { type: 'string', multiple: true },
} as const;

/**
 * helm, where the pods of a cluster here were Kubernetes': `template` is the real one's; `upgrade --install --wait` renders with the real
 * one, applies, and waits until all pods are ready.
 */
export const helmFor =
  (cluster: PodsCluster): Called =>
  async (args, say) => {
    if (args[0] !== 'upgrade') {
      const { status, ...outputs } = await runProgram(await realHelm(), args);
      say(outputs);
      return status ?? 1;
    }
    const { values: given, positionals } = parseArgs({
      args: args.slice(1),
      options: OF_UPGRADE,
      allowPositionals: true,
    });
    const { namespace = '', values = [], set = [], wait = false } = given;
    if (namespace !== cluster.namespace) throw new Error(`there is no namespace here but ${cluster.namespace}`);
    const asked = [...values.map((file) => `--values=${file}`), ...set.map((setting) => `--set=${setting}`)];
    const template = ['template', ...positionals, `--namespace=${namespace}`, ...asked];
    cluster.apply((await renderAsked(template, cluster.objects)).objects);
    if (wait) await cluster.settled();
    say({ stdout: `Release "${positionals[0] ?? ''}" has been upgraded.\n` });
    return 0;
  };

/** kind, whose cluster's images are those of podman: `load image-archive FILE`. */
export const kind: Called = async ([load, archive, file = ''], say) => {
  if (load !== 'load' || archive !== 'image-archive') throw new Error(`unknown command "${load ?? ''}" for "kind"`);
  const { status, ...outputs } = await tryPodman('load', `--input=${file}`);
  say(outputs);
  return status ?? 1;
};
