import { readdirSync, writeFileSync } from 'node:fs';

/**
 * Lets a bridge hand a packet back to the port that it came from, for all ports that are there now, as the kubelet has it. Where packets on
 * bridges pass iptables (`net.bridge.bridge-nf-call-iptables`), one to a service that leads back to the pod which asks never leaves the bridge:
 * it would be dropped, and the pod wait in vain for itself.
 */
export function allowHairpins(bridge: string): void {
  const ports = `/sys/class/net/${bridge}/brif`;
  for (const port of readdirSync(ports)) allow(`${ports}/${port}/hairpin_mode`);
}

function allow(file: string): void {
  try {
    writeFileSync(file, '1');
  } catch (error) {
    // Its pod has ended meanwhile, and the port with it.
    if (!['ENOENT', 'ENODEV', 'EINVAL'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
