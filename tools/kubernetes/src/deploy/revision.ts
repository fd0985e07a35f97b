import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';

/**
 * A tag that is another one for each content of the workspace: pods are replaced when their image's name changes, and only then.
 * The version and the commit, and what was changed since; outside of git the time.
 */
export function revisionTag(root: string, version: string): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 2 ** 28 });
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD').trim();
    const changes = [git('diff', 'HEAD'), untracked(root, git)].join('');
    return [version, commit, ...(changes === '' ? [] : [digest(changes)])].join('-');
  } catch {
    return `${version}-${Date.now().toString(36)}`;
  }
}

function untracked(root: string, git: (...args: string[]) => string): string {
  const files = git('ls-files', '--others', '--exclude-standard');
  if (files === '') return '';
  const hashes = execFileSync('git', ['hash-object', '--stdin-paths'], { cwd: root, encoding: 'utf8', input: files });
  return files + hashes;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
