import { parsePlace } from './place';

const kubeconfig = (context: string, provider?: string) =>
  JSON.stringify({
    'current-context': context,
    contexts: [
      {
        name: context,
        context: {
          cluster: 'whatever',
          user: 'whoever',
          ...(provider === undefined ? {} : { extensions: [{ name: 'context_info', extension: { provider } }] }),
        },
      },
    ],
  });

test.each([
  ['kind-trial', undefined, { kind: 'kind', name: 'trial' }],
  ['k3d-my-own', undefined, { kind: 'k3d', name: 'my-own' }],
  ['minikube', undefined, { kind: 'minikube', name: 'minikube' }],
  ['second', 'minikube.sigs.k8s.io', { kind: 'minikube', name: 'second' }],
  ['production', undefined, { kind: 'other', name: 'production' }],
  ['kinder', undefined, { kind: 'other', name: 'kinder' }],
] as const)('context %s (%s) leads to %o', (context, provider, expected) => {
  expect(parsePlace(kubeconfig(context, provider))).toEqual({ context, ...expected });
});

test('a kubeconfig without a current context is refused', () => {
  expect(() => parsePlace('{"contexts":null}')).toThrow('names no current context');
  expect(() => parsePlace('{"current-context":""}')).toThrow('names no current context');
});
