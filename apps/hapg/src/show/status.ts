import type { SyncRule } from '@ha-postgres/cluster-state';
import type { Advice } from '../advice';
import type { LoadBalancerRow, NodeRow, Picture } from '../picture';
import { bytesText } from './bytes';
import { table } from './table';

/** `hapg status` for people. */
export function statusText(picture: Picture, advice: readonly Advice[]): string {
  return [factsText(picture), nodesText(picture.nodes), loadBalancersText(picture.loadBalancers), adviceText(advice)]
    .filter((part) => part !== '')
    .join('\n\n');
}

function factsText(picture: Picture): string {
  const { members, pause, lastPromotion, epoch, switchover } = picture;
  const lines = [
    ['Master', masterText(picture)],
    ['Members', members === null ? 'not known' : members.map(({ node }) => node).join(', ')],
    [
      'Promoted',
      lastPromotion === null
        ? null
        : `${lastPromotion.node} in term ${lastPromotion.term} at ${lastPromotion.at}: ${lastPromotion.why}`,
    ],
    ['Sync rule', syncText(picture)],
    [
      'Switchover',
      switchover === null
        ? null
        : `asked for: from ${switchover.from} to ${switchover.to ?? 'the best Replica'} (${switchover.id})`,
    ],
    ['Epoch', epoch === null ? null : `${epoch.number}, from ${epoch.from}, by ${epoch.by}`],
    [
      'Paused',
      pause === null
        ? picture.consulIsSilent === null
          ? 'no'
          : 'not known'
        : `by ${pause.by}${pause.why === '' ? '' : `: ${pause.why}`}`,
    ],
  ] as const;
  return lines.flatMap(([name, text]) => (text === null ? [] : [`${name.padEnd(10)} ${text}`])).join('\n');
}

function masterText({ master, consulIsSilent }: Picture): string {
  if (consulIsSilent !== null) return 'unknown: Consul does not answer';
  if (master === null) return 'there is no key that names one';
  const { value, lease } = master;
  return `${value.node}, term ${value.term}, ${value.phase}, timeline ${value.timeline}, WAL ${value.lsn}; lease: ${lease}`;
}

/** Null: nothing was ever promised. */
function syncText({ sync, nodes }: Picture): string | null {
  if (sync === null) return null;
  const said = nodes.find(({ status }) => status?.sync != null)?.status?.sync;
  const before = sync.previous === null ? '' : `, and still ${ruleText(sync.previous)}`;
  const streams = said == null ? '' : `; streaming: ${said.streaming.join(', ') || 'nobody'}`;
  return `${ruleText(sync)}${before}${streams}${said?.waiting === true ? '; COMMITS WAIT' : ''}${said?.barred === true ? '; clients are not admitted yet' : ''}`;
}

function ruleText({ mode, k, names }: SyncRule): string {
  if (mode === 'async' || k === 0) return `${mode}: nobody but the Master confirms`;
  return `${mode}: ${k} of ${names.join(', ') || 'nobody'} confirm`;
}

function nodesText(nodes: readonly NodeRow[]): string {
  if (nodes.length === 0) return 'No node is known here: name role-servers with --role-servers HOST:PORT.';
  const head = [
    'NODE',
    'ROLE',
    'HEALTH',
    'TERM',
    'TIMELINE',
    'LSN',
    'LAG',
    'BEHIND',
    'STREAMS',
    'COULD TAKE OVER',
    'TAGS',
  ];
  return table(head, nodes.map(nodeCells));
}

function nodeCells({ node, health, status, behindBytes, isMember }: NodeRow): string[] {
  if (status === null) return [node, '?', health, '', '', '', '', '', '', 'not known', ''];
  return [
    node,
    status.role ?? 'undecided',
    health,
    String(status.dataTerm),
    status.timeline === null ? '?' : String(status.timeline),
    status.lsn ?? '?',
    status.lagBytes === null ? '' : bytesText(status.lagBytes),
    behindBytes === null ? '?' : bytesText(behindBytes),
    status.role === 'Master' ? '' : status.streaming ? 'yes' : 'no',
    status.takeover.able ? 'yes' : status.role === 'Master' ? '' : `no: ${status.takeover.why}`,
    tagsText({ status, isMember }),
  ];
}

function tagsText({ status, isMember }: Pick<NodeRow, 'status' | 'isMember'>): string {
  const tags = status?.tags;
  return [
    ...(tags?.noFailover === true ? ['noFailover'] : []),
    ...(tags?.noLoadBalance === true ? ['noLoadBalance'] : []),
    ...(tags?.noLoadBalance !== true && status?.whyNoReads != null ? ['no reads'] : []),
    ...(tags !== undefined && tags.failoverPriority !== 0 ? [`priority ${tags.failoverPriority}`] : []),
    ...(isMember === false ? ['no member'] : []),
  ].join(', ');
}

function loadBalancersText(rows: readonly LoadBalancerRow[]): string {
  if (rows.length === 0) return '';
  const head = ['LOAD BALANCER', 'MASTER PORT', 'STANDBY PORT', 'STATE'];
  return table(
    head,
    rows.map(({ name, master, standbys, isCurrent, holding, appliedIndex }) => [
      name,
      master ?? 'nobody',
      standbys.length === 0 ? 'nobody' : standbys.join(', '),
      `${isCurrent ? 'as the key says' : 'older than the key'}${holding ? ', holds clients' : ''} (index ${appliedIndex})`,
    ]),
  );
}

function adviceText(advice: readonly Advice[]): string {
  if (advice.length === 0) return '';
  return advice.flatMap(({ what, remedies }) => [`! ${what}`, ...remedies.map((line) => `    → ${line}`)]).join('\n');
}
