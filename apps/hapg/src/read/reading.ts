import type { HealthyService } from '@ha-postgres/consul-election';
import { messageOf } from '@ha-postgres/service-kit';
import type { Context } from '../command';
import { readKeys, understand, type KeysSeen } from './keys';
import { askNodes, type Answer } from './nodes';
import { furtherPlaces, placesToAsk } from './places';

/** Everything that can be known of a cluster from outside, at one moment. */
export interface Reading {
  /** Why Consul said nothing; null: it answered. */
  readonly consulIsSilent: string | null;
  readonly keys: KeysSeen;
  readonly answers: readonly Answer[];
}

/** Reads Consul, then asks every node that it, or a node that answered, names. @throws NoAnswerError, ConsulError */
export async function readCluster(context: Context): Promise<Reading> {
  const seen = await readKeys(context.client, context.keys, context.signal);
  return { consulIsSilent: null, keys: seen, answers: await askEverybody(context, seen) };
}

/** Like {@link readCluster}, but where Consul does not answer asks the nodes alone. */
export async function readWhatAnswers(context: Context): Promise<Reading> {
  try {
    return await readCluster(context);
  } catch (error) {
    const keys = understand(context.keys, []);
    return { consulIsSilent: messageOf(error), keys, answers: await askEverybody(context, keys) };
  }
}

async function askEverybody({ client, config, signal }: Context, seen: KeysSeen): Promise<readonly Answer[]> {
  const services = await servicesOf(() =>
    client.serviceHealth(config.consulService, { consistency: 'consistent', signal }),
  );
  const first = await askNodes(placesToAsk(seen, services, config.roleServers), config.requestTimeout);
  const further = await askNodes(furtherPlaces(first), config.requestTimeout);
  return onePerNode([...first, ...further]);
}

/** The catalogue only adds names to those of the keys. */
async function servicesOf(
  read: () => Promise<{ readonly services: readonly HealthyService[] }>,
): Promise<readonly HealthyService[]> {
  return read().then(
    ({ services }) => services,
    () => [],
  );
}

/** The same node may have been asked at two addresses: one that it has left, and its own. */
function onePerNode(answers: readonly Answer[]): readonly Answer[] {
  const better = (a: Answer, b: Answer) => Number(b.kind === 'answered') - Number(a.kind === 'answered');
  return [...answers]
    .sort(better)
    .filter(
      (answer, index, all) =>
        answer.place.name === null || all.findIndex(({ place }) => place.name === answer.place.name) === index,
    )
    .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** Its name, or where only that is known its address. */
export function nameOf({ place }: Pick<Answer, 'place'>): string {
  return place.name ?? `${place.host}:${place.apiPort}`;
}
