import type { NodeAddress } from '@ha-postgres/cluster-state';
import type { Controller, PeersPort } from '@ha-postgres/db-controller/controller';
import type { SimProcess } from '../world/sim-process';
import { call } from './calls';
import type { RoleServer } from './role-server';
import type { SimNode } from './node';

/** Other nodes, through their role-servers. */
export function simulatedPeers(node: SimNode, process: SimProcess): PeersPort {
  const { network, nodes } = node.cluster;

  const at = <T>(
    member: Pick<NodeAddress, 'node'>,
    limitMs: number,
    serve: (door: RoleServer) => Promise<T>,
  ): Promise<T | null> => {
    const target = nodes.get(member.node);
    return call<T>({
      world: node.world,
      from: process,
      to: () => target?.roleServerProcess ?? null,
      there: () => network.link(node.name, member.node),
      back: () => network.link(member.node, node.name),
      limitMs,
      serve: () => {
        const door = target?.roleServer;
        if (door === null || door === undefined) throw new Error('nobody is there');
        return serve(door);
      },
    }).catch(() => null);
  };

  const ask = async <T extends { readonly node: string; readonly term: number }>(
    member: NodeAddress,
    term: number,
    limitMs: number,
    serve: (controller: Controller) => Promise<T> | T,
  ): Promise<T | null> => {
    const answer = await at(member, limitMs, (door) =>
      door.ask(2000, () => {
        const { controller } = door.node;
        if (controller === null) throw new Error('no controller');
        return serve(controller);
      }),
    );
    return answer?.term === term && answer.node === member.node ? answer : null;
  };

  return {
    vote: (member, request, limitMs) => ask(member, request.term, limitMs, ({ answers }) => answers.vote(request)),
    failsafe: (member, request, limitMs) =>
      ask(member, request.term, limitMs, ({ answers }) => answers.failsafe(request)),
    walTail: (member, request, limitMs) =>
      ask(member, request.term, limitMs, ({ answers }) => answers.walTail(request)),
    statusOf: ({ host }, limitMs) => at({ node: host }, limitMs, (door) => Promise.resolve(door.state?.status ?? null)),
    isLive: async (member, limitMs) => (await at(member, limitMs, () => Promise.resolve(true))) === true,
  };
}
