import type { PlacedPod } from './expand/placed-pod';
import type { Container, Deployment, KubernetesObject, PodSpec, Service, StatefulSet, Volume } from './kubernetes';

/** Objects for tests, with what a test does not say filled in. */

export const specOf = (over: Partial<PodSpec> = {}): PodSpec => ({
  containers: [{ name: 'main', image: 'i' }],
  ...over,
});

export const placedPod = (over: Partial<PlacedPod> = {}): PlacedPod => ({
  name: 'web-0',
  namespace: 'db',
  owner: 'StatefulSet/web',
  revision: 'r1',
  labels: { app: 'web' },
  annotations: {},
  spec: specOf(),
  hostname: 'web-0',
  subdomain: 'web',
  claims: {},
  ip: '10.0.0.5',
  uid: 'u1',
  ...over,
});

export const statefulSet = (spec: Partial<StatefulSet['spec']> = {}, image = 'i'): StatefulSet => ({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  metadata: { name: 'web' },
  spec: { replicas: 3, template: { spec: specOf({ containers: [{ name: 'main', image }] }) }, ...spec },
});

export const deployment = (spec: Partial<Deployment['spec']> = {}, image = 'i'): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'lb' },
  spec: { replicas: 2, template: { spec: specOf({ containers: [{ name: 'main', image }] }) }, ...spec },
});

export const service = (name: string, spec: Service['spec'] = {}): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: 'web' }, ...spec },
});

export const configMap = (name: string, data: Readonly<Record<string, string>>): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

export const secret = (name: string, data: Readonly<Record<string, string>>): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
});

export const container = (over: Partial<Container> = {}): Container => ({ name: 'main', image: 'i', ...over });

export const volume = (over: Omit<Volume, 'name'>): Volume => ({ name: 'v', ...over });
