import * as monitoring from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import * as apps from 'kubernetes-models/apps/v1';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';
import type { Manifest } from './render';

/** A class of Kubernetes' API; its validators are made from Kubernetes' own OpenAPI types. */
interface Model {
  readonly prototype: { validate(this: unknown): void };
}

const GROUPS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  v1: core,
  'apps/v1': apps,
  'policy/v1': policy,
  'networking.k8s.io/v1': networking,
  'monitoring.coreos.com/v1': monitoring,
};

const isModel = (value: unknown): value is Model =>
  typeof value === 'function' && 'validate' in (value.prototype as object);

/** What is wrong with an object by the types of Kubernetes' API: a wrong type or value, or a property that there is not. */
export function typeProblems(manifest: Manifest): string[] {
  const { apiVersion, kind } = manifest;
  const model = GROUPS[apiVersion]?.[kind];
  if (!isModel(model)) return [`there is no ${apiVersion} ${kind}`];
  const asked = new Asked();
  const where = `${kind} ${manifest.metadata.name}`;
  try {
    model.prototype.validate.call(asked.watch(manifest, ''));
  } catch (error) {
    const errors = (error as { errors?: readonly { instancePath?: string; message?: string }[] }).errors ?? [];
    const texts = errors.map(({ instancePath, message }) => `${instancePath ?? ''} ${message ?? ''}`);
    return (texts.length > 0 ? texts : [String(error)]).map((text) => `${where}: ${text}`);
  }
  return asked.neverAsked(manifest, '').map((path) => `${where}: ${path} is no property of it`);
}

/**
 * OpenAPI lets every further property pass, Kubernetes does not. A validator looks at all the properties that its type has (and,
 * where names are free, at all there are): what it never looked at, the type does not have.
 */
class Asked {
  readonly #paths = new Set<string>();

  watch(value: unknown, path: string): unknown {
    if (typeof value !== 'object' || value === null) return value;
    return new Proxy(value, {
      get: (target, name) => {
        const own = Reflect.get(target, name) as unknown;
        if (typeof name === 'symbol' || !Object.hasOwn(target, name)) return own;
        const inner = `${path}/${name}`;
        this.#paths.add(inner);
        return this.watch(own, inner);
      },
    });
  }

  neverAsked(value: unknown, path: string): string[] {
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([name, inner]) =>
      this.#paths.has(`${path}/${name}`) ? this.neverAsked(inner, `${path}/${name}`) : [`${path}/${name}`],
    );
  }
}
