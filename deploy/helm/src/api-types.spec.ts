import { typeProblems } from './testing/api-types';
import { find, helm, CHART, render, type Manifest } from './testing/render';
import { VALUE_SETS } from './testing/value-sets';

const SETS = Object.entries(VALUE_SETS);

test('there are at least a dozen ways of use to look at', () => {
  expect(SETS.length).toBeGreaterThanOrEqual(12);
});

test.each(SETS)('what is rendered is valid by the types of Kubernetes’ API: %s', (_name, values) => {
  const manifests = render(values);
  expect(manifests.length).toBeGreaterThan(15);
  expect(manifests.flatMap(typeProblems)).toEqual([]);
});

test.each(SETS)('no two objects have one name, and all are in the namespace of the release: %s', (_name, values) => {
  const names = render(values).map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`);
  expect(names).toEqual([...new Set(names)]);
});

test.each(SETS)('helm lint --strict has nothing to say: %s', (_name, values) => {
  const { status, stdout } = helm(['lint', '--strict', CHART], values);
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('0 chart(s) failed') as string });
});

test('the check itself finds a wrong type, a missing property, and one that there is not', () => {
  const pristine = find(render(), 'StatefulSet', 'ha-postgres');
  const spoilt = (spoil: (spec: Spec) => void): string[] => {
    const copy = structuredClone(pristine) as Manifest & { spec: Spec };
    spoil(copy.spec);
    return typeProblems(copy);
  };
  expect(typeProblems(pristine)).toEqual([]);
  expect(spoilt((spec) => (spec.replicas = 'three'))).toEqual([expect.stringContaining('/spec/replicas')]);
  expect(spoilt((spec) => delete spec.selector)).toEqual([expect.stringContaining('selector')]);
  expect(spoilt((spec) => (spec.replica = 3))).toEqual(['StatefulSet ha-postgres: /spec/replica is no property of it']);
  expect(typeProblems({ ...pristine, kind: 'StatefulSets' })).toEqual(['there is no apps/v1 StatefulSets']);
});

interface Spec {
  replicas?: unknown;
  replica?: unknown;
  selector?: unknown;
}
