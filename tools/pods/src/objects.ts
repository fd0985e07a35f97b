import type { Deployment, KubernetesObject, Service, StatefulSet } from './kubernetes';

/** What an API server would hold: objects that are found by kind and name. */
export class Objects {
  constructor(readonly all: readonly KubernetesObject[]) {}

  get statefulSets(): StatefulSet[] {
    return this.all.filter((one): one is StatefulSet => one.kind === 'StatefulSet');
  }

  get deployments(): Deployment[] {
    return this.all.filter((one): one is Deployment => one.kind === 'Deployment');
  }

  get services(): Service[] {
    return this.all.filter((one): one is Service => one.kind === 'Service');
  }

  find(kind: string, name: string): KubernetesObject | null {
    return this.all.find((one) => one.kind === kind && one.metadata.name === name) ?? null;
  }

  /** The files of a ConfigMap; null: there is none of that name. */
  configMap(name: string): ReadonlyMap<string, Buffer> | null {
    const found = this.find('ConfigMap', name);
    if (found === null) return null;
    const { data, binaryData } = found as { data?: Texts; binaryData?: Texts };
    return new Map([
      ...Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text)] as const),
      ...Object.entries(binaryData ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64')] as const),
    ]);
  }

  /** The values of a Secret; null: there is none of that name. */
  secret(name: string): ReadonlyMap<string, Buffer> | null {
    const found = this.find('Secret', name);
    if (found === null) return null;
    const { data, stringData } = found as { data?: Texts; stringData?: Texts };
    return new Map([
      ...Object.entries(data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64')] as const),
      ...Object.entries(stringData ?? {}).map(([key, text]) => [key, Buffer.from(text)] as const),
    ]);
  }
}

type Texts = Readonly<Record<string, string>> | null;
