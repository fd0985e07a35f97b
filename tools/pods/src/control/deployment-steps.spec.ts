import { revisionOf } from '../expand/revision';
import { deployment } from '../testing-objects';
import { stepsOfDeployment, type DeploymentPod } from './deployment-steps';

const NEW = revisionOf(deployment().spec.template);
const fresh = (name: string, isReady = true): DeploymentPod => ({ name, revision: NEW, isReady, isEnding: false });
const old = (name: string, isReady = true): DeploymentPod => ({ name, revision: 'old', isReady, isEnding: false });
const careful = deployment({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
});
const create = { do: 'create' };
const remove = (name: string) => ({ do: 'delete', name });

test('as many are made as are wanted', () => {
  expect(stepsOfDeployment(careful, [])).toEqual([create, create]);
  expect(stepsOfDeployment(careful, [fresh('a')])).toEqual([create]);
  expect(stepsOfDeployment(careful, [fresh('a'), fresh('b', false)])).toEqual([]);
});

test('of another template: a new one first, and an old one goes only when it is ready', () => {
  expect(stepsOfDeployment(careful, [old('a'), old('b')])).toEqual([create]);
  expect(stepsOfDeployment(careful, [old('a'), old('b'), fresh('c', false)])).toEqual([]);
  expect(stepsOfDeployment(careful, [old('a'), old('b'), fresh('c')])).toEqual([remove('a')]);
  expect(stepsOfDeployment(careful, [old('b'), fresh('c')])).toEqual([create]);
  expect(stepsOfDeployment(careful, [old('b'), fresh('c'), fresh('d')])).toEqual([remove('b')]);
});

test('an old one that is not ready goes at once', () => {
  expect(stepsOfDeployment(careful, [old('a', false), old('b'), fresh('c', false)])).toEqual([remove('a')]);
});

test('what may be spared goes without waiting', () => {
  const bold = deployment({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: '50%' } } });
  expect(stepsOfDeployment(bold, [old('a'), old('b')])).toEqual([remove('a')]);
  expect(stepsOfDeployment(bold, [old('b')])).toEqual([create]);
});

test('Recreate ends all old ones before it makes any', () => {
  const recreate = deployment({ strategy: { type: 'Recreate' } });
  expect(stepsOfDeployment(recreate, [old('a'), old('b')])).toEqual([remove('a'), remove('b')]);
  expect(stepsOfDeployment(recreate, [])).toEqual([create, create]);
});

test('those that are too many go, those that are not ready first', () => {
  const one = deployment({ replicas: 1 });
  expect(stepsOfDeployment(one, [fresh('a'), fresh('b', false)])).toEqual([remove('b')]);
});
