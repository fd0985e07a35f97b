import type { Service } from '../kubernetes';
import { podman, tryPodman } from '../run/podman';
import { mustRun, runProgram } from '../run/program';
import { isHeadless, type PodSeen } from './endpoints';
import { DnsServer } from './dns-server';
import { zoneOf } from './dns-zone';
import { allowHairpins } from './hairpin';
import { chainsOf, serviceRules } from './service-rules';

/** Where packets come into our chains: table, chain of the kernel, ours. */
function hooksOf(namespace: string): (readonly [table: string, hook: string, chain: string])[] {
  const { chain, after } = chainsOf(namespace);
  return [
    ['nat', 'PREROUTING', chain],
    ['nat', 'OUTPUT', chain],
    ['nat', 'POSTROUTING', after],
    ['filter', 'FORWARD', chain],
    ['filter', 'OUTPUT', chain],
  ];
}

/** A bridge of podman's with names and service addresses as in Kubernetes. They exist on this machine only. */
export class PodsNetwork {
  /** Of services, which keep theirs as long as they are there. */
  readonly addresses = new Map<string, string>();
  #written = '';

  private constructor(
    readonly name: string,
    readonly subnet: string,
    readonly gateway: string,
    private readonly bridge: string,
    private readonly namespace: string,
    private readonly dns: DnsServer,
  ) {}

  /** @throws Error if podman, ip or iptables cannot */
  static async make(namespace: string): Promise<PodsNetwork> {
    const name = `hapg-pods-${namespace}`;
    await podman('network', 'create', '--disable-dns', name);
    const inspected = await podman('network', 'inspect', name);
    const [network] = JSON.parse(inspected) as {
      network_interface: string;
      subnets: { subnet: string; gateway: string }[];
    }[];
    const { subnet = '', gateway = '' } = network?.subnets[0] ?? {};
    const bridge = network?.network_interface ?? '';
    // The bridge is there as long as somebody is on it.
    await podman('pod', 'create', `--name=${anchorOf(name)}`, `--network=${name}`);
    await podman('pod', 'start', anchorOf(name));
    const dns = await DnsServer.start(gateway);
    const made = new PodsNetwork(name, subnet, gateway, bridge, namespace, dns);
    await made.#write([], []);
    for (const [table, hook, chain] of hooksOf(namespace))
      await mustRun('iptables', ['-w', '-t', table, '-I', hook, '-j', chain]);
    await mustRun('ip', ['route', 'add', made.#serviceNetwork, 'dev', bridge]);
    return made;
  }

  /** To be called when a pod has come onto the network: services may lead it to itself from now on. */
  welcome(): void {
    allowHairpins(this.bridge);
  }

  /** Lets names and services lead where they are to lead now. */
  async lead(services: readonly Service[], pods: readonly PodSeen[]): Promise<void> {
    for (const service of services.filter((one) => !isHeadless(one))) this.#giveAddress(service.metadata.name);
    this.dns.zone = zoneOf(this.namespace, services, pods, this.addresses);
    await this.#write(services, pods);
  }

  async remove(): Promise<void> {
    await this.dns.stop();
    await removeNetwork(this.namespace);
  }

  async #write(services: readonly Service[], pods: readonly PodSeen[]): Promise<void> {
    const rules = serviceRules({
      namespace: this.namespace,
      services,
      pods,
      addresses: this.addresses,
      subnet: this.subnet,
    });
    if (rules === this.#written) return;
    await mustRun('iptables-restore', ['-w', '--noflush'], { input: rules });
    this.#written = rules;
  }

  /** The third number of the pods' network, so that two networks have no services in common. */
  get #serviceNetwork(): string {
    return `10.97.${this.subnet.split('.')[2] ?? '0'}.0/24`;
  }

  #giveAddress(service: string): void {
    if (this.addresses.has(service)) return;
    this.addresses.set(service, this.#serviceNetwork.replace('0/24', String(this.addresses.size + 10)));
  }
}

const anchorOf = (network: string): string => `${network}-anchor`;

/** Takes away what is there of a namespace's network, also what an earlier process left. */
export async function removeNetwork(namespace: string): Promise<void> {
  const name = `hapg-pods-${namespace}`;
  const { chain: own, after } = chainsOf(namespace);
  for (const [table, hook, chain] of hooksOf(namespace))
    await runProgram('iptables', ['-w', '-t', table, '-D', hook, '-j', chain]);
  for (const [table, chain] of [
    ['nat', own],
    ['nat', after],
    ['filter', own],
  ] as const) {
    await runProgram('iptables', ['-w', '-t', table, '-F', chain]);
    await runProgram('iptables', ['-w', '-t', table, '-X', chain]);
  }
  // The route goes with the bridge.
  await tryPodman('pod', 'rm', '--force', '--time=0', anchorOf(name));
  await tryPodman('network', 'rm', '--force', name);
}
