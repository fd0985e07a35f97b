import type { Manifest } from './render';
import { containersOf, pods, type Container, type PodSpec } from './workloads';

/*
 * The pod security standard "restricted" (with "baseline", which it includes), as Kubernetes publishes it: one function for each
 * control, which says what breaks it.
 */

type Context = Readonly<Record<string, unknown>> | undefined;
type Rule = (spec: PodSpec) => string[];

const VOLUMES = [
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected', 'secret'],
];
const SYSCTLS = [
  ...['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.ip_unprivileged_port_start'],
  ...['net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_local_reserved_ports'],
  ...['net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl'],
  ...['net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem'],
];
const SELINUX_TYPES = ['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];

const part = (of: unknown, name: string): unknown => (of as Context)?.[name];

/** A control that looks at each security context: of the pod, and of every container. */
const inEveryContext =
  (breaks: (context: unknown) => string | null): Rule =>
  (spec) =>
    [
      ['pod', spec.securityContext] as const,
      ...containersOf(spec).map((one) => [one.name, one.securityContext] as const),
    ].flatMap(([who, context]) => {
      const why = breaks(context);
      return why === null ? [] : [`${who}: ${why}`];
    });

const inEveryContainer =
  (breaks: (container: Container, spec: PodSpec) => string | null): Rule =>
  (spec) =>
    containersOf(spec).flatMap((one) => {
      const why = breaks(one, spec);
      return why === null ? [] : [`${one.name}: ${why}`];
    });

/** What a container's context says, or where it says nothing, the pod's. */
const effective = ({ securityContext }: Container, spec: PodSpec, name: string): unknown =>
  part(securityContext, name) ?? part(spec.securityContext, name);

const listOf = (of: unknown, name: string): readonly string[] =>
  (part(of, name) as readonly string[] | undefined) ?? [];

export const CONTROLS: Readonly<Record<string, Rule>> = {
  'host namespaces': (spec) =>
    ['hostNetwork', 'hostPID', 'hostIPC'].flatMap((name) => (spec[name] === true ? [`pod: ${name}`] : [])),
  'host process': inEveryContext((context) =>
    part(part(context, 'windowsOptions'), 'hostProcess') === true ? 'hostProcess' : null,
  ),
  'privileged containers': inEveryContainer(({ securityContext }) =>
    part(securityContext, 'privileged') === true ? 'privileged' : null,
  ),
  'volume types': ({ volumes = [] }) =>
    volumes.flatMap(({ name, ...kinds }) =>
      Object.keys(kinds)
        .filter((kind) => !VOLUMES.includes(kind))
        .map((kind) => `volume ${name}: ${kind}`),
    ),
  'host ports': inEveryContainer(({ ports = [] }) =>
    ports.some((port) => (part(port, 'hostPort') ?? 0) !== 0) ? 'hostPort' : null,
  ),
  'hosts of probes and hooks': inEveryContainer((one) =>
    /"(httpGet|tcpSocket)":\{[^}]*"host":"[^"]+"/.test(JSON.stringify(one)) ? 'a host of its own' : null,
  ),
  AppArmor: inEveryContext((context) =>
    [undefined, 'RuntimeDefault', 'Localhost'].includes(part(part(context, 'appArmorProfile'), 'type') as string)
      ? null
      : 'appArmorProfile',
  ),
  SELinux: inEveryContext((context) => {
    const options = part(context, 'seLinuxOptions');
    const type = part(options, 'type') ?? '';
    return SELINUX_TYPES.includes(type as string) && !part(options, 'user') && !part(options, 'role')
      ? null
      : 'seLinuxOptions';
  }),
  '/proc mount type': inEveryContainer(({ securityContext }) =>
    [undefined, 'Default'].includes(part(securityContext, 'procMount') as string) ? null : 'procMount',
  ),
  sysctls: ({ securityContext }) =>
    ((part(securityContext, 'sysctls') ?? []) as readonly { name: string }[])
      .filter(({ name }) => !SYSCTLS.includes(name))
      .map(({ name }) => `pod: sysctl ${name}`),
  'privilege escalation': inEveryContainer(({ securityContext }) =>
    part(securityContext, 'allowPrivilegeEscalation') === false ? null : 'allowPrivilegeEscalation is not false',
  ),
  'running as non-root': inEveryContainer((one, spec) =>
    effective(one, spec, 'runAsNonRoot') === true ? null : 'runAsNonRoot is not true',
  ),
  'running as non-root user': inEveryContext((context) => (part(context, 'runAsUser') === 0 ? 'runAsUser is 0' : null)),
  seccomp: inEveryContainer((one, spec) =>
    ['RuntimeDefault', 'Localhost'].includes(part(effective(one, spec, 'seccompProfile'), 'type') as string)
      ? null
      : 'seccompProfile is neither RuntimeDefault nor Localhost',
  ),
  capabilities: inEveryContainer(({ securityContext }) => {
    const capabilities = part(securityContext, 'capabilities');
    if (!listOf(capabilities, 'drop').includes('ALL')) return 'does not drop ALL capabilities';
    const added = listOf(capabilities, 'add').filter((name) => name !== 'NET_BIND_SERVICE');
    return added.length === 0 ? null : `adds ${added.join(', ')}`;
  }),
};

/** What breaks the standard: `pod: control: where: what`. */
export function restrictedProblems(manifests: readonly Manifest[]): string[] {
  return pods(manifests).flatMap(({ name, spec }) =>
    Object.entries(CONTROLS).flatMap(([control, rule]) => rule(spec).map((why) => `${name}: ${control}: ${why}`)),
  );
}
