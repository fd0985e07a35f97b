import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { onPath } from '../workspace';

/**
 * Runs `ip`. @throws Error with what it printed.
 * @param lines commands that it reads, one a line, all of them in the namespace if one is named in `args`.
 */
export function ip(args: readonly string[], lines: readonly string[] = []): Promise<string> {
  return run(
    onPath('ip'),
    lines.length > 0 ? [...args, '-batch', '-'] : args,
    lines.map((line) => `${line}\n`).join(''),
  );
}

/** A command that runs another one in a network namespace, as the same process. */
export function inNamespace(namespace: string, command: string, args: readonly string[]): [string, string[]] {
  return [onPath('nsenter'), [`--net=/run/netns/${namespace}`, '--', command, ...args]];
}

/** Runs a program. @throws Error with what it printed to its standard error. */
export function run(command: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, [...args], { encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${[command, ...args].join(' ')}: ${stderr.trim() || error.message}`, { cause: error }));
    });
    // A program that does not read its input may have closed it.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** Whether this machine has no route into a /24 but its default one. */
export function isFreeSubnet(subnet: string): boolean {
  const routes = (which: string) =>
    execFileSync(onPath('ip'), ['-4', 'route', 'show', which, `${subnet}.0/24`], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('default'));
  return [...routes('root'), ...routes('match')].length === 0;
}

/**
 * @throws Error saying what this machine lacks for network namespaces.
 */
export function requireNamespaces(): void {
  const isRoot = process.getuid?.() === 0;
  const missing = ['ip', 'nsenter'].filter((program) => !existsSync(onPath(program)));
  const lacks = [
    ...(process.platform === 'linux' ? [] : ['Linux']),
    ...(isRoot ? [] : ['root']),
    ...(missing.length === 0 ? [] : [`the programs ${missing.join(' and ')} (packages iproute2 and util-linux)`]),
  ];
  if (lacks.length > 0) throw new Error(`network namespaces (--netns) need ${lacks.join(', and ')}`);
}
