import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WORKSPACE_ROOT } from '@ha-postgres/local-cluster';
import { runProgram, type Outcome } from './program';

let environment: NodeJS.ProcessEnv | null = null;

/** Runs podman with the settings that all tools here give it, and says what came of it. */
export async function tryPodman(...args: readonly string[]): Promise<Outcome> {
  environment ??= await settings();
  return runProgram('podman', args, { environment });
}

/**
 * What podman prints, without the blanks around it.
 * @throws Error with what it said, if it fails.
 */
export async function podman(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await tryPodman(...args);
  if (status !== 0) throw new Error(`podman ${args.join(' ').slice(0, 400)}: ${stderr.trim()}`);
  return stdout.trim();
}

/** What tools/container-tool.mjs sets, for machines with narrow limits. */
async function settings(): Promise<NodeJS.ProcessEnv> {
  const tool = pathToFileURL(join(WORKSPACE_ROOT, 'tools', 'container-tool.mjs')).href;
  const script = `import { containerEnvironment } from '${tool}'; process.stdout.write(JSON.stringify(containerEnvironment('podman')));`;
  const { status, stdout, stderr } = await runProgram(process.execPath, ['--input-type=module', '--eval', script]);
  if (status !== 0) throw new Error(`the settings for podman cannot be had: ${stderr}`);
  return JSON.parse(stdout) as NodeJS.ProcessEnv;
}
