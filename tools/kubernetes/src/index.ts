export { KubectlFailed, Kubectl, type KubectlPlace } from './kubectl';
export { openPortForward, PortForward } from './port-forward';
export { parsePods, podChanges, SELECTOR, type Pod, type PodChange } from './pods';
export { OBJECTS, parseInstallation, secretValue, type Installation, type SecretPlace } from './installation';
export { programPath } from './programs';
