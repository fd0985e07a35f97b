import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { WORKSPACE_ROOT } from '@ha-postgres/local-cluster';

const TOOLS = join(WORKSPACE_ROOT, 'tools');

/**
 * A value or the answer of a function that a module of tools/ exports. They are modules of Node.js, which jest does not
 * load, so they are asked in a process of their own.
 * @throws Error with the message of the one that the function throws.
 */
export function fromTool(module: string, name: string, args?: readonly unknown[]): unknown {
  const url = pathToFileURL(join(TOOLS, module)).href;
  const code = `
    import { ${name} as it } from ${JSON.stringify(url)};
    const args = ${JSON.stringify(args ?? null)};
    try {
      process.stdout.write(JSON.stringify(args === null ? it : it(...args)) ?? 'null');
    } catch (error) {
      process.stderr.write(error.message);
      process.exitCode = 1;
    }`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

export interface ImageFacts {
  readonly argument: string;
  readonly base: string;
  readonly megabytesMax: number;
}

/** The images that there are, with what they stand on and how large they may be. */
export function images(): Readonly<Record<string, ImageFacts>> {
  return fromTool('image-names.mjs', 'IMAGES') as Record<string, ImageFacts>;
}
