import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FakePrograms } from './fake-programs';

const DEPLOY = join(__dirname, '..', 'dist', 'deploy.js');
const KUBECONFIG = (context: string) => `echo '{"current-context":"${context}","contexts":[{"name":"${context}"}]}'`;

let fakes: FakePrograms;
beforeEach(() => {
  fakes = new FakePrograms();
  for (const program of ['helm', 'npx', 'podman', 'kind']) fakes.add(program);
  fakes.add('kubectl', KUBECONFIG('kind-trial'));
});
afterEach(() => fakes.remove());

const deploy = (...args: string[]) => {
  const env = { ...process.env, PATH: fakes.path(), CONTAINER_TOOL: 'podman', HAPROXY_IMAGE: '', CONSUL_IMAGE: '' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [DEPLOY, ...args], { env, encoding: 'utf8' });
  return { status, stdout, stderr };
};
const programs = (): (string | undefined)[] =>
  fakes.called.map((line) => /^(?:\w+ (?:config|template|nx|save|load|upgrade|tag|push))/.exec(line)?.[0]);

test('asks which cluster it is, judges the values, builds, brings the images, and installs', () => {
  const { status, stdout, stderr } = deploy('trial', '--tag', 't1', 'db.clusterSize=5');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(programs()).toEqual(['kubectl config', 'helm template', 'npx nx', 'podman save', 'kind load', 'helm upgrade']);
  expect(fakes.called.at(-1)).toMatch(/--kube-context=kind-trial --namespace=trial --create-namespace --wait/);
  expect(fakes.called.at(-1)).toMatch(/--set=db\.clusterSize=5$/);
  expect(fakes.called[3]).toContain('localhost/ha-postgres/ha-postgres:t1 localhost/ha-postgres/db-controller:t1');
  expect(stdout).toContain('tools/demo --kubernetes trial');
});

test('--dry-run prints the commands and carries none out but the question which cluster it is', () => {
  const { status, stdout } = deploy('trial', '--tag', 't1', '--dry-run');
  expect(status).toBe(0);
  expect(programs()).toEqual(['kubectl config']);
  expect(stdout.trim().split('\n')).toHaveLength(5);
  expect(stdout).toContain('kind load image-archive');
});

test('pushes to a registry, whatever cluster it is', () => {
  fakes.add('kubectl', KUBECONFIG('production'));
  expect(deploy('trial', '--tag', 't1', '--registry', 'r.example:5000/team/').status).toBe(0);
  expect(fakes.called.filter((line) => line.startsWith('podman push'))).toHaveLength(4);
  expect(fakes.called.at(-1)).toContain('--set=lb.syncer.image=r.example:5000/team/lb-syncer:t1');
});

test('the tag names the version and the commit, unless one is given', () => {
  expect(deploy('trial', '--dry-run').stdout).toMatch(/IMAGE_TAG=\d+\.\d+\.\d+-\w+/);
  expect(deploy('trial', '--dry-run', '--tag', 'mine').stdout).toContain('IMAGE_TAG=mine ');
});

test('a values file is given as the file that it is, from wherever it is called', () => {
  const file = join(fakes.directory, 'mine.yaml');
  writeFileSync(file, 'db: {clusterSize: 1}\n');
  expect(deploy('trial', '--dry-run', file).stdout).toContain(`--values=${file}`);
});

describe('refuses, and says what is missing', () => {
  test('values that contradict each other, before anything is built', () => {
    fakes.add('helm', 'echo "Error: db.clusterSize must be 1 or more" >&2; exit 1');
    const { status, stderr } = deploy('trial');
    expect(status).toBe(1);
    expect(stderr).toContain('db.clusterSize must be 1 or more');
    expect(stderr).toMatch(/deploy: could not render the chart with these values \(exit 1\): .*helm template/);
    expect(programs()).toEqual(['kubectl config', 'helm template']);
  });

  test('a cluster into which images cannot be put', () => {
    fakes.add('kubectl', KUBECONFIG('production'));
    const { status, stderr } = deploy('trial');
    expect(status).toBe(1);
    expect(stderr).toMatch(/^deploy: production is no cluster of kind, minikube or k3d.*--registry/);
    expect(programs()).toEqual(['kubectl config']);
  });

  test('a cluster whose tool is not here', () => {
    fakes.add('kubectl', KUBECONFIG('k3d-trial'));
    expect(deploy('trial').stderr).toMatch(/^deploy: k3d is not on the PATH/);
  });

  test('no cluster at all, in the words of kubectl', () => {
    fakes.add('kubectl', 'echo "error: current-context must exist in order to minify" >&2; exit 1');
    const { status, stderr } = deploy('trial');
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /could not see which cluster kubectl leads to: kubectl config view .*current-context must exist/,
    );
  });

  test('what could not be installed, and where to look', () => {
    fakes.add('helm', 'test "$1" = template || { echo "Error: timed out" >&2; exit 3; }');
    const { status, stderr } = deploy('trial', '--tag', 't1');
    expect(status).toBe(1);
    expect(stderr).toMatch(/could not install the chart \(exit 3\): \S*helm upgrade --install ha-postgres/);
    expect(stderr).toContain('look: kubectl --context=kind-trial -n trial get pods');
  });

  test.each([
    [['Trial'], 'a name of small letters'],
    [['trial', 'nothing.yaml'], 'give a file of values that is there, or key=value'],
    [['trial', '--registry', 'https://r.example'], 'without a scheme'],
    [[], "missing required argument 'namespace'"],
  ])('%o', (args, words) => {
    const { status, stderr } = deploy(...args);
    expect(status).not.toBe(0);
    expect(stderr).toContain(words);
    expect(fakes.called).toEqual([]);
  });
});
