import { addressOf, hubAddress, namespaceOf, newNetworkPlace, observerAddress } from './place';

const members = ['consul', 'node', 'lb'].flatMap((kind) =>
  Array.from({ length: 10 }, (_, number) => `${kind}${number}`),
);

describe('the network of a cluster', () => {
  it('gives everybody an address of its own', () => {
    const place = newNetworkPlace(() => true);
    const addresses = [...members.map((member) => addressOf(place, member)), hubAddress(place), observerAddress(place)];
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(addresses.every((address) => address.startsWith(`${place.subnet}.`))).toBe(true);
  });

  it('has another name each time, short enough for an interface', () => {
    const [one, other] = [newNetworkPlace(() => true), newNetworkPlace(() => true)];
    expect(one.id).not.toBe(other.id);
    expect(one.id.length).toBeLessThanOrEqual(15);
    expect(namespaceOf(one, 'node0')).toBe(`${one.id}-node0`);
  });

  it('lies where this machine has no route to', () => {
    const refused: string[] = [];
    const { subnet } = newNetworkPlace((candidate) => {
      refused.push(candidate);
      return refused.length === 4;
    });
    expect(subnet).toBe(refused[3]);
    expect(subnet).toMatch(/^10\.(6[4-9]|[7-9]\d|1[0-8]\d|19[01])\.\d{1,3}$/);
  });

  it('is refused where there is no room', () => {
    expect(() => newNetworkPlace(() => false)).toThrow('no free network');
  });

  it.each(['hub', 'node', 'node10', 'xnode0', ''])('has no address for %j', (name) => {
    expect(() => addressOf({ id: 'x', subnet: '10.64.0' }, name)).toThrow(JSON.stringify(name));
  });
});
