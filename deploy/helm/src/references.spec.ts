import { render, type Manifest, type Values } from './testing/render';
import { VALUE_SETS } from './testing/value-sets';
import { containersOf, pods, workloads, type ConfigMap, type Container, type PodSpec } from './testing/workloads';

/*
 * What the types of Kubernetes' API do not say: that names are well made, and that what is referred to is there.
 */

/** Secrets that the values name, and that are therefore not the chart's to make. */
const given = (values: Values): string[] =>
  [...JSON.stringify(values).matchAll(/"(?:existingSecret|secretName|tokenSecret|caSecret)":"([^"]+)"/g)].map(
    ([, name]) => name ?? '',
  );

const names = (manifests: readonly Manifest[], kind: string): string[] =>
  manifests.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name);

const claimsOf = (manifests: readonly Manifest[], pod: string): string[] =>
  workloads(manifests)
    .filter(({ metadata }) => metadata.name === pod)
    .flatMap(({ spec }) => (spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name));

const duplicates = (list: readonly string[]): string[] => list.filter((one, index) => list.indexOf(one) !== index);

/** What a container mounts and the pod does not have. */
function mountProblems(manifests: readonly Manifest[], pod: string, spec: PodSpec): string[] {
  const volumes = [...(spec.volumes ?? []).map(({ name }) => name), ...claimsOf(manifests, pod)];
  return [
    ...duplicates(volumes).map((name) => `two volumes ${name}`),
    ...containersOf(spec).flatMap(({ name, volumeMounts = [] }) => [
      ...volumeMounts
        .filter((mount) => !volumes.includes(mount.name))
        .map((mount) => `${name} mounts no ${mount.name}`),
      ...duplicates(volumeMounts.map(({ mountPath }) => mountPath)).map((path) => `${name} mounts two at ${path}`),
    ]),
    ...volumes
      .filter((volume) => !containersOf(spec).some((one) => one.volumeMounts?.some(({ name }) => name === volume)))
      .map((volume) => `nobody mounts ${volume}`),
  ];
}

function portProblems({ name, ports = [] }: Container): string[] {
  const named = ports.map((port) => port.name ?? '');
  return [
    ...named.filter((port) => !/^[a-z0-9-]{1,15}$/.test(port)).map((port) => `${name}: port name ${port}`),
    ...duplicates(named).map((port) => `${name}: two ports ${port}`),
  ];
}

/** Containers of one pod share its network. */
function clashes(spec: PodSpec): string[] {
  const taken = containersOf(spec).flatMap(({ name, ports = [] }) =>
    ports.map((port) => `${port.containerPort}/${(port as { protocol?: string }).protocol ?? 'TCP'} of ${name}`),
  );
  return duplicates(taken.map((text) => text.split(' ')[0] ?? ''));
}

describe.each(Object.entries(VALUE_SETS))('%s', (_name, values) => {
  const manifests = render(values);

  test('every name is one that Kubernetes takes, and so is every label', () => {
    for (const { kind, metadata } of manifests) {
      expect({ kind, name: metadata.name }).toEqual({
        kind,
        name: expect.stringMatching(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/) as string,
      });
      for (const label of Object.values(metadata.labels ?? {})) {
        expect(label).toMatch(/^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$/);
      }
    }
  });

  test('what a pod mounts is there, what it has is mounted, and no two containers want one port', () => {
    for (const { name, spec } of pods(manifests)) {
      expect(mountProblems(manifests, name, spec)).toEqual([]);
      expect(containersOf(spec).flatMap(portProblems)).toEqual([]);
      expect(clashes(spec)).toEqual([]);
      expect(duplicates(containersOf(spec).map((one) => one.name))).toEqual([]);
    }
  });

  test('every ConfigMap, Secret and ServiceAccount that is named is made, or named by the values', () => {
    const secrets = [...names(manifests, 'Secret'), ...given(values)];
    const optional = (volume: object) => JSON.stringify(volume).includes('"optional":true');
    for (const { spec } of pods(manifests)) {
      for (const volume of (spec.volumes ?? []).filter((one) => !optional(one))) {
        if (volume.configMap !== undefined) expect(names(manifests, 'ConfigMap')).toContain(volume.configMap.name);
        if (volume.secret !== undefined) expect(secrets).toContain(volume.secret.secretName);
      }
      const keys = containersOf(spec).flatMap(({ env = [] }) =>
        env.flatMap((one) => one.valueFrom?.secretKeyRef ?? []),
      );
      for (const { name } of keys) expect(secrets).toContain(name);
      expect(names(manifests, 'ServiceAccount')).toContain(spec.serviceAccountName);
    }
  });

  test('every key of a Secret of the chart that is asked for is in it', () => {
    const data = new Map(
      manifests.filter(({ kind }) => kind === 'Secret').map((one) => [one.metadata.name, (one as ConfigMap).data]),
    );
    const refs = pods(manifests).flatMap(({ spec }) =>
      containersOf(spec).flatMap(({ env = [] }) => env.flatMap((one) => one.valueFrom?.secretKeyRef ?? [])),
    );
    for (const { name, key } of refs) if (data.has(name)) expect(Object.keys(data.get(name) ?? {})).toContain(key);
  });

  test('a variable refers only to those before it', () => {
    for (const { env = [] } of pods(manifests).flatMap(({ spec }) => containersOf(spec))) {
      expect(duplicates(env.map(({ name }) => name))).toEqual([]);
      env.forEach(({ value = '' }, index) => {
        const before = env.slice(0, index).map(({ name }) => name);
        for (const [, name = ''] of value.matchAll(/\$\(([A-Za-z_]\w*)\)/g)) expect(before).toContain(name);
      });
    }
  });

  test('services lead to pods, by ports that these have', () => {
    for (const service of manifests.filter(({ kind }) => kind === 'Service')) {
      const { selector, ports } = service.spec as ServiceSpec;
      const led = workloads(manifests).filter(({ spec }) =>
        Object.entries(selector).every(([name, value]) => spec.template.metadata.labels?.[name] === value),
      );
      expect(led).toHaveLength(1);
      const open = led.flatMap(({ spec }) => containersOf(spec.template.spec).flatMap((one) => one.ports ?? []));
      for (const { targetPort } of ports) expect(open.map(({ name }) => name)).toContain(targetPort);
    }
  });

  test('a StatefulSet’s service is one that is made', () => {
    for (const { spec } of workloads(manifests).filter(({ kind }) => kind === 'StatefulSet')) {
      expect(names(manifests, 'Service')).toContain(spec.serviceName);
    }
  });
});

interface ServiceSpec {
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly targetPort: string }[];
}
