import type { Container, EnvironmentSource, EnvironmentVariable } from '../kubernetes';
import type { Objects } from '../objects';
import { fieldOf, type PlacedPod } from './placed-pod';

/**
 * A container's environment: `envFrom` first, then `env` in its order, in which `$(NAME)` stands for what was named before.
 * @throws Error if it names a Secret, a ConfigMap or a key that there is not
 */
export function environmentOf(container: Container, pod: PlacedPod, objects: Objects): Map<string, string> {
  const known = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    for (const [name, value] of valuesFrom(source, objects)) known.set(`${source.prefix ?? ''}${name}`, value);
  }
  for (const variable of container.env ?? []) {
    const value = valueOf(variable, pod, objects);
    if (value !== null) known.set(variable.name, variable.value === undefined ? value : expanded(value, known));
  }
  return known;
}

/** `$(NAME)` is replaced by what is known of that name, else left; `$$(NAME)` is `$(NAME)`. */
export function expanded(text: string, known: ReadonlyMap<string, string>): string {
  return text.replace(/\$(\$)?\(([A-Za-z_][\w.-]*)\)/g, (whole, escaped: string | undefined, name: string) =>
    escaped === undefined ? (known.get(name) ?? whole) : whole.slice(1),
  );
}

function valueOf(variable: EnvironmentVariable, pod: PlacedPod, objects: Objects): string | null {
  const { fieldRef, secretKeyRef, configMapKeyRef } = variable.valueFrom ?? {};
  if (fieldRef !== undefined) return fieldOf(pod, fieldRef.fieldPath);
  const ref = secretKeyRef ?? configMapKeyRef;
  if (ref === undefined) return variable.value ?? '';
  const values = secretKeyRef === undefined ? objects.configMap(ref.name) : objects.secret(ref.name);
  const found = values?.get(ref.key);
  if (found !== undefined) return found.toString();
  if (ref.optional === true) return null;
  throw new Error(`${pod.name}: ${variable.name} is to be key ${ref.key} of ${ref.name}, which is not there`);
}

function valuesFrom({ secretRef, configMapRef }: EnvironmentSource, objects: Objects): [string, string][] {
  const ref = secretRef ?? configMapRef;
  if (ref === undefined) return [];
  const values = secretRef === undefined ? objects.configMap(ref.name) : objects.secret(ref.name);
  if (values === null && ref.optional !== true) throw new Error(`envFrom names ${ref.name}, which is not there`);
  return [...(values ?? [])].map(([name, value]) => [name, value.toString()]);
}
