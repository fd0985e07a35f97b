import { join } from 'node:path';
import { LOCAL_PREFIX, isLocal, type Shipped } from './images';
import type { Place, PlaceKind } from './place';

/** One command of a deployment. */
export interface Step {
  /** What it is for, in words that complete "could not …". */
  readonly what: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** What it prints is of no interest while it succeeds. */
  readonly isQuiet?: boolean;
  /** Where to look if it fails. */
  readonly hint?: string;
}

/** What is to be deployed, and where. */
export interface Order {
  readonly namespace: string;
  readonly release: string;
  readonly place: Place;
  /** Where images are pushed to; null: they are put into the cluster. */
  readonly registry: string | null;
  readonly tag: string;
  readonly images: readonly Shipped[];
  /** Files of values and settings, in their order. */
  readonly values: readonly Value[];
  readonly timeout: string;
}

export type Value = { readonly file: string } | { readonly setting: string };

/** Where everything lies that the commands name. */
export interface Workplace {
  readonly root: string;
  readonly helm: string;
  /** Which Node.js runs the tools. */
  readonly node: string;
}

/** Which program puts images into a cluster of this kind. */
export const LOADERS: Readonly<Record<Exclude<PlaceKind, 'other'>, string>> = {
  kind: 'kind',
  minikube: 'minikube',
  k3d: 'k3d',
};

/**
 * A value as it is given behind the namespace: `key=value`, or the name of a file.
 * @throws RangeError if it is neither.
 */
export function parseValue(text: string, isFile: (name: string) => boolean): Value {
  if (isFile(text)) return { file: text };
  if (/^[A-Za-z][^=\s]*=/.test(text)) return { setting: text };
  throw new RangeError(`${JSON.stringify(text)}: give a file of values that is there, or key=value`);
}

/** The commands, in their order. Values are judged first: a contradiction is told before minutes of building. */
export function stepsOf(order: Order, workplace: Workplace): readonly Step[] {
  return [
    checkValues(order, workplace),
    buildImages(order),
    ...bringImages(order, workplace),
    install(order, workplace),
  ];
}

function checkValues(order: Order, { root, helm }: Workplace): Step {
  return {
    what: 'render the chart with these values',
    program: helm,
    args: ['template', order.release, chart(root), `--namespace=${order.namespace}`, ...valueArguments(order)],
    isQuiet: true,
  };
}

function buildImages({ tag }: Order): Step {
  return {
    what: 'build the images',
    program: 'npx',
    args: ['nx', 'run-many', '-t', 'image', '--output-style=static'],
    environment: { IMAGE_PREFIX: LOCAL_PREFIX, IMAGE_TAG: tag, NX_DAEMON: 'false' },
  };
}

function bringImages({ images, registry, place }: Order, workplace: Workplace): readonly Step[] {
  const local = images.filter(isLocal);
  if (registry !== null) {
    return local.flatMap(({ here, there }) => [
      containerStep(workplace, `name ${here} as the registry has it`, ['run', 'tag', here, there]),
      containerStep(workplace, `push ${there}`, ['run', 'push', there]),
    ]);
  }
  if (place.kind === 'other') throw new Error(`images cannot be put into ${place.context}`);
  const archive = archiveIn(workplace.root);
  const what = `put the images into ${place.kind} ${place.name}`;
  return [
    containerStep(workplace, 'write the images to a file', ['save', archive, ...local.map(({ here }) => here)]),
    { what, program: LOADERS[place.kind], args: loadArguments(place, archive) },
  ];
}

function loadArguments({ kind, name }: Place, archive: string): readonly string[] {
  const ARGUMENTS: Readonly<Record<PlaceKind, readonly string[]>> = {
    kind: ['load', 'image-archive', archive, `--name=${name}`],
    minikube: [`--profile=${name}`, 'image', 'load', archive],
    k3d: ['image', 'import', archive, `--cluster=${name}`],
    other: [],
  };
  return ARGUMENTS[kind];
}

function install(order: Order, { root, helm }: Workplace): Step {
  const { release, namespace, place, timeout } = order;
  return {
    what: 'install the chart',
    program: helm,
    args: [
      ...['upgrade', '--install', release, chart(root)],
      ...[`--kube-context=${place.context}`, `--namespace=${namespace}`, '--create-namespace'],
      ...['--wait', `--timeout=${timeout}`],
      ...valueArguments(order),
    ],
    hint: `look: kubectl --context=${place.context} -n ${namespace} get pods; kubectl … logs POD -c CONTAINER`,
  };
}

/** What the user gives comes last, and wins. */
function valueArguments({ images, values }: Order): readonly string[] {
  return [
    ...images.map(({ value, there }) => `--set=${value}=${there}`),
    ...values.map((value) => ('file' in value ? `--values=${value.file}` : `--set=${value.setting}`)),
  ];
}

function containerStep({ root, node }: Workplace, what: string, args: readonly string[]): Step {
  return { what, program: node, args: [join(root, 'tools', 'container-command.mjs'), ...args] };
}

/** The images on their way into a cluster. */
export const archiveIn = (root: string): string => join(root, 'tmp', 'deploy', 'images.tar');

const chart = (root: string): string => join(root, 'deploy', 'helm', 'ha-postgres');
