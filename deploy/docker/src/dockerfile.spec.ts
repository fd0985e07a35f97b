import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { NODE_FLAGS, WORKSPACE_ROOT } from '@ha-postgres/local-cluster';
import { last, parseDockerfile, readDockerfile, type Stage } from './dockerfile';
import { fromTool, images } from './tools';

const { defaults, stages } = readDockerfile('Dockerfile');
const IMAGES = images();
const targets = Object.keys(IMAGES);

const stageOf = (name: string): Stage => {
  const stage = stages.find((one) => one.name === name);
  if (stage === undefined) throw new Error(`no stage ${name}`);
  return stage;
};

const imageOf = (app: string): { target: string; apps: string[] } | undefined =>
  (
    JSON.parse(readFileSync(join(WORKSPACE_ROOT, 'apps', app, 'package.json'), 'utf8')) as {
      nx: { metadata?: { image?: { target: string; apps: string[] } } };
    }
  ).nx.metadata?.image;

test('a Dockerfile is read as stages of instructions, continued lines joined', () => {
  const read = parseDockerfile('# why\nARG BASE=a:1\nFROM ${BASE} AS one\nRUN x \\\n  # why not\n && y\nUSER 1:1\n');
  expect(read).toEqual({
    defaults: { BASE: 'a:1' },
    stages: [
      {
        name: 'one',
        base: '${BASE}',
        instructions: [
          { name: 'RUN', text: 'x && y' },
          { name: 'USER', text: '1:1' },
        ],
      },
    ],
  });
  expect(() => parseDockerfile('FROM scratch\n')).toThrow('without a name');
});

test('every service is in an image, and every image is built by one service', () => {
  const apps = readdirSync(join(WORKSPACE_ROOT, 'apps'));
  const made = apps.map((app) => imageOf(app)).filter((image) => image !== undefined);
  expect(made.map(({ target }) => target).sort()).toEqual([...targets].sort());
  expect([...new Set(made.flatMap((image) => image.apps))].sort()).toEqual(apps.sort());
});

test('where nothing else is said, an image stands on the official one that the sizes are compared with', () => {
  for (const [target, { argument, base }] of Object.entries(IMAGES)) {
    expect({ target, default: defaults[argument] }).toEqual({ target, default: base });
  }
});

test.each(targets)('%s runs as an account that is not root, given by its number', (target) => {
  expect(last(stageOf(target), 'USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
});

test.each(targets)(
  '%s starts its service with the options of Node.js that the local cluster is measured with',
  (target) => {
    const entryPoint = JSON.parse(last(stageOf(target), 'ENTRYPOINT') ?? '[]') as string[];
    const node = entryPoint.indexOf('node');
    expect(entryPoint.slice(node + 1, -1)).toEqual(NODE_FLAGS);
    expect(entryPoint.slice(0, node)).toEqual(target === 'ha-postgres' ? ['tini', '-s', '--'] : []);
    expect(entryPoint.at(-1)).toMatch(/^\/opt\/ha-postgres\/[a-z-]+\.js$/);
  },
);

test.each(targets)(
  '%s takes of the context the bundles of its services, their parts lists and the licence',
  (target) => {
    const image = readdirSync(join(WORKSPACE_ROOT, 'apps'))
      .map((app) => imageOf(app))
      .find((one) => one?.target === target);
    const { name, base, instructions } = stageOf(target);
    const copied = [...instructions, ...(base === 'service' ? stageOf(base).instructions : [])]
      .filter((instruction) => instruction.name === 'COPY' && !instruction.text.startsWith('--from'))
      .flatMap(({ text }) => text.split(' ').slice(0, -1));
    const expected = ['LICENSE', ...(image?.apps ?? []).flatMap((app) => [`${app}.js`, `${app}.cdx.json`])];
    expect({ name, copied: copied.sort() }).toEqual({ name, copied: expected.sort() });
  },
);

describe('the command that builds', () => {
  const build = { file: 'F', target: 't', tag: 'n:1', buildArgs: { A: '1', B: 'x=y' }, context: 'dir' };
  const said = ['--file=F', '--target=t', '--tag=n:1', '--build-arg=A=1', '--build-arg=B=x=y', 'dir'];

  test.each(['docker', 'podman'])('is the same for %s', (tool) => {
    expect(fromTool('container-tool.mjs', 'buildCommand', [tool, build])).toEqual(['build', ...said]);
  });

  test('makes buildah keep its layers, so that the next build finds them', () => {
    expect(fromTool('container-tool.mjs', 'buildCommand', ['buildah', build])).toEqual(['build', '--layers', ...said]);
  });

  test('lets docker build only the stages that it needs, as the others do: the context holds no more', () => {
    expect(fromTool('container-tool.mjs', 'containerEnvironment', ['docker', { PATH: 'p' }])).toEqual({
      PATH: 'p',
      DOCKER_BUILDKIT: '1',
    });
  });

  test('is for a tool that is known', () => {
    expect(() => fromTool('container-tool.mjs', 'containerTool', [{ CONTAINER_TOOL: 'kaniko' }])).toThrow(
      /kaniko.*podman, docker, buildah/,
    );
  });
});
