import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One instruction, on one line: `USER 999:999` is `{ name: 'USER', text: '999:999' }`. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

export interface Dockerfile {
  /** Build arguments that stand before the first stage, with their defaults. */
  readonly defaults: Readonly<Record<string, string>>;
  readonly stages: readonly Stage[];
}

/**
 * Reads the few forms that our own Dockerfiles use.
 * @throws Error if there is another one.
 */
export function readDockerfile(file: string): Dockerfile {
  return parseDockerfile(readFileSync(join(__dirname, '..', file), 'utf8'));
}

export function parseDockerfile(text: string): Dockerfile {
  const defaults: Record<string, string> = {};
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const { name, text: rest } of instructionsIn(text)) {
    const from = /^(\S+) AS (\S+)$/.exec(rest);
    if (name === 'FROM' && from !== null) {
      stages.push({ name: from[2] ?? '', base: from[1] ?? '', instructions: [] });
    } else if (name === 'FROM') {
      throw new Error(`a stage without a name: FROM ${rest}`);
    } else if (stages.length > 0) {
      stages.at(-1)?.instructions.push({ name, text: rest });
    } else {
      const [argument = '', value = ''] = rest.split('=');
      defaults[argument] = value;
    }
  }
  return { defaults, stages };
}

function instructionsIn(text: string): Instruction[] {
  const lines = text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n');
  return lines.flatMap((line) => {
    const match = /^([A-Z]+)\s+(.*)$/.exec(line.trim());
    if (match === null && line.trim() !== '') throw new Error(`no instruction: ${line}`);
    return match === null ? [] : [{ name: match[1] ?? '', text: match[2] ?? '' }];
  });
}

/** The last instruction of that name in a stage, or undefined. */
export function last(stage: Stage, name: string): string | undefined {
  return stage.instructions.findLast((instruction) => instruction.name === name)?.text;
}
