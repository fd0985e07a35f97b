import { heldBeyond, isBlocked, waitsForConsent, whyBlocked } from './blocked';
import { witnessesOfLoss, type Picture } from './picture';
import { ranked } from './ranking';

/** Something that waits for a person. */
export interface Advice {
  readonly what: string;
  /** What can be typed, or done, about it. */
  readonly remedies: readonly string[];
}

/** Everything that does not come right by itself, most pressing first. */
export function adviceOf(picture: Picture): readonly Advice[] {
  return [
    ...consulIsSilent(picture),
    ...consulLostItsMemory(picture),
    ...nobodyCanTakeOver(picture),
    ...waitingCommits(picture),
    ...blockedNodes(picture),
    ...silentNodes(picture),
    ...standingPause(picture),
    ...unreadableKeys(picture),
  ];
}

function consulIsSilent({ consulIsSilent: why, nodes }: Picture): Advice[] {
  if (why === null) return [];
  const remedies = ['see whether the Consul servers have a leader: consul operator raft list-peers'];
  return [
    {
      what: `Consul does not answer: ${why}. A Master whose members all agree goes on meanwhile; nobody takes over.`,
      remedies:
        nodes.length > 0 ? remedies : [...remedies, 'name role-servers with --role-servers HOST:PORT to see the nodes'],
    },
  ];
}

function consulLostItsMemory(picture: Picture): Advice[] {
  const witnesses = witnessesOfLoss(picture);
  const [first] = witnesses;
  if (first === undefined) return [];
  const order = ranked(picture.nodes);
  const rows = order.map(
    ({ node, status }) => `${node}: data of term ${status.dataTerm}, WAL up to ${status.lsn ?? 'unknown'}`,
  );
  const [best] = order;
  return [
    {
      what: [
        `Consul has lost what it knew, says ${witnesses.map(({ node }) => node).join(', ')}: ${first.status?.consulWentBack ?? ''}. Nobody takes over by itself.`,
        ...(rows.length > 0 ? [`Newest data first: ${rows.join('; ')}.`] : []),
      ].join(' '),
      remedies: best === undefined ? [] : [`hapg bootstrap --from ${best.node}`],
    },
  ];
}

function nobodyCanTakeOver({ master, nodes, pause }: Picture): Advice[] {
  if (master?.isHeld !== false || witnessesOfLoss({ nodes }).length > 0) return [];
  if (nodes.some(({ source, status }) => source === 'node' && status?.takeover.able === true)) return [];
  if (pause !== null) return [];
  const reasons = nodes.map(({ node, status, health }) => `${node}: ${status?.takeover.why ?? health}`);
  return [
    {
      what: `There is no Master, and no node is able to take over. ${reasons.join('; ')}.`,
      remedies: ['bring the missing nodes back', ...withWhatIsLeft(nodes)],
    },
  ];
}

/** An administrator's word lets a member take over; where no member is left, the keys are made anew. */
function withWhatIsLeft(nodes: Picture['nodes']): readonly string[] {
  const left = nodes.filter(({ source, status }) => source === 'node' && status?.tags.noFailover === false);
  if (!nodes.some(({ source, isMember }) => source === 'node' && isMember !== false)) {
    const [newest] = ranked(left);
    return newest === undefined
      ? []
      : [
          `or, if those on the list of members are gone for good: hapg bootstrap --from ${newest.node} --unreachable-are-down`,
        ];
  }
  const [best] = left
    .filter(({ behindBytes, isMember }) => behindBytes !== null && isMember !== false)
    .sort((a, b) => (a.behindBytes ?? 0) - (b.behindBytes ?? 0));
  if (best === undefined) return [];
  return [`or give up what ${best.node} lacks: hapg failover --to ${best.node} --accept-data-loss --why TEXT`];
}

function waitingCommits({ nodes }: Picture): Advice[] {
  return nodes.flatMap(({ node, status }) => {
    const sync = status?.sync;
    if (sync?.waiting !== true) return [];
    const missing = sync.names.filter((name) => !sync.streaming.includes(name));
    return [
      {
        what: `Commits wait on ${node}: ${sync.k} of ${sync.names.join(', ') || 'nobody'} must confirm, and ${sync.streaming.length} stream.`,
        remedies: [
          `bring ${missing.join(', ') || 'Replicas'} back, or start the controllers with --data-durability available`,
        ],
      },
    ];
  });
}

function blockedNodes({ nodes }: Picture): Advice[] {
  return nodes.filter(isBlocked).map((row) => {
    const held = heldBeyond(row);
    return {
      what: `${row.node} is blocked${row.status?.role === 'DeadMaster' ? ' (DeadMaster)' : ''}: ${whyBlocked(row)}${held === null ? '' : ` (${held})`}`,
      remedies: [
        ...(waitsForConsent(row) ? [`hapg rejoin ${row.node}`] : []),
        'or empty its data directory: it then joins as a Replica',
      ],
    };
  });
}

function silentNodes({ nodes }: Picture): Advice[] {
  return nodes
    .filter(({ source }) => source !== 'node')
    .map(({ node, health, isMember }) => ({
      what: `${node}${isMember === true ? ', a member,' : ''} does not answer (${health}).`,
      remedies: [`see whether its processes run, and whether this machine reaches them`],
    }));
}

function standingPause({ pause }: Picture): Advice[] {
  if (pause === null) return [];
  return [
    {
      what: `Paused by ${pause.by}${pause.why === '' ? '' : `: ${pause.why}`}. Nobody takes over, switches over or rejoins meanwhile.`,
      remedies: ['hapg resume'],
    },
  ];
}

function unreadableKeys({ unreadable }: Picture): Advice[] {
  return unreadable.map(({ key, why }) => ({
    what: `What stands in ${key} cannot be read, and counts as absent: ${why}.`,
    remedies: [],
  }));
}
