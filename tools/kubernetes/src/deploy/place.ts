/** How images get into a cluster. */
export type PlaceKind = 'kind' | 'minikube' | 'k3d' | 'other';

/** A Kubernetes cluster as the kubeconfig names it. */
export interface Place {
  readonly context: string;
  readonly kind: PlaceKind;
  /** What its own tool calls it. */
  readonly name: string;
}

interface Kubeconfig {
  readonly 'current-context'?: string;
  readonly contexts?: readonly {
    readonly name: string;
    readonly context?: {
      readonly extensions?: readonly { readonly extension?: { readonly provider?: string } | null }[];
    };
  }[];
}

const MINIKUBE = 'minikube.sigs.k8s.io';

/**
 * Reads what `kubectl config view --minify -o json` prints. kind and k3d begin a context's name with their own; minikube lets one be
 * called as one likes, and leaves its mark in the kubeconfig.
 * @throws Error if it names no context.
 */
export function parsePlace(json: string): Place {
  const { 'current-context': context, contexts } = JSON.parse(json) as Kubeconfig;
  if (context === undefined || context === '') throw new Error('the kubeconfig names no current context');
  for (const kind of ['kind', 'k3d'] as const) {
    if (context.startsWith(`${kind}-`)) return { context, kind, name: context.slice(kind.length + 1) };
  }
  const extensions = contexts?.find(({ name }) => name === context)?.context?.extensions ?? [];
  const isMinikube = context === 'minikube' || extensions.some(({ extension }) => extension?.provider === MINIKUBE);
  return { context, kind: isMinikube ? 'minikube' : 'other', name: context };
}
