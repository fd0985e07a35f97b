import type { HealthyService } from '@ha-postgres/consul-election';
import type { KeysSeen } from './keys';
import type { Answer, Place } from './nodes';

/** Every node that anything in Consul names, and those given by hand. */
export function placesToAsk(
  keys: KeysSeen,
  services: readonly HealthyService[],
  roleServers: readonly string[],
): readonly Place[] {
  return distinct([
    ...keys.statuses.map(({ node, host, apiPort }) => ({ name: node, host, apiPort })),
    ...(keys.members.value?.members ?? []).map(({ node, host, apiPort }) => ({ name: node, host, apiPort })),
    ...services.flatMap(({ meta, address }) => {
      const apiPort = Number(meta.apiPort);
      return meta.node === undefined || !isPort(apiPort) ? [] : [{ name: meta.node, host: address, apiPort }];
    }),
    ...roleServers.map((text) => {
      const [host = '', port = ''] = text.split(':');
      return { name: null, host, apiPort: Number(port) };
    }),
  ]);
}

/** Nodes that those who answered know of, and that have not been asked: all that is left where Consul has forgotten them. */
export function furtherPlaces(answers: readonly Answer[]): readonly Place[] {
  const asked = answers.map(({ place }) => place);
  const known = answers.flatMap((answer) =>
    answer.kind === 'answered'
      ? (answer.status.knownMembers ?? []).map(({ node, host, apiPort }) => ({ name: node, host, apiPort }))
      : [],
  );
  return distinct(known).filter((place) => !asked.some((one) => isSame(one, place) || one.name === place.name));
}

/** The first of those with the same name, or at the same address. */
function distinct(places: readonly Place[]): Place[] {
  return places.reduce<Place[]>(
    (kept, place) =>
      kept.some((one) => isSame(one, place) || (one.name !== null && one.name === place.name))
        ? kept
        : [...kept, place],
    [],
  );
}

function isSame(a: Place, b: Place): boolean {
  return a.host === b.host && a.apiPort === b.apiPort;
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port < 65536;
}
