/** How packets of a link are held up. */
export interface Slowness {
  readonly delayMs: number;
  /** Each packet takes up to so much longer, or shorter. */
  readonly jitterMs: number;
  /** So many of a hundred packets are lost. */
  readonly lossPercent: number;
}

/** What is wrong with the way from one member to another. The way back is another link. */
export interface Link {
  readonly from: string;
  readonly to: string;
  readonly isCut: boolean;
  readonly slowness: Slowness | null;
}

/** Two groups of members; those that are in both are no way to themselves. */
export interface Ends {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** Packets from one group to the other are dropped, and those back as well unless it is one way. */
export function cutLinks(links: readonly Link[], ends: Ends, isOneWay: boolean): readonly Link[] {
  return changed(links, pairs(ends, !isOneWay), (link) => ({ ...link, isCut: true }));
}

/** Packets between two groups are held up, in both directions. */
export function slowLinks(links: readonly Link[], ends: Ends, slowness: Slowness): readonly Link[] {
  return changed(links, pairs(ends, true), (link) => ({ ...link, slowness }));
}

/** Nothing is wrong any more between two groups, in either direction. */
export function healLinks(links: readonly Link[], ends: Ends): readonly Link[] {
  return changed(links, pairs(ends, true), (link) => ({ ...link, isCut: false, slowness: null }));
}

/** Where packets that are held up leave their way: a table of routes of its own. */
export const DELAY_TABLE = 100;

const PREFERENCE = { cut: 100, slow: 200 } as const;

/**
 * The routing rules of the hub that make links so, as `ip rule` takes them. A packet that a rule `blackhole` takes is gone
 * without a word to its sender. One that was held up comes back from elsewhere than its sender's port, so it is not held up again.
 */
export function rulesOf(links: readonly Link[], addressOf: (member: string) => string): string[] {
  return links.flatMap(({ from, to, isCut, slowness }) => {
    const way = `from ${addressOf(from)} to ${addressOf(to)}`;
    return [
      ...(isCut ? [`pref ${PREFERENCE.cut} ${way} blackhole`] : []),
      ...(slowness === null ? [] : [`pref ${PREFERENCE.slow} ${way} iif ${from} lookup ${DELAY_TABLE}`]),
    ];
  });
}

type Pair = readonly [from: string, to: string];

function pairs({ from, to }: Ends, isBothWays: boolean): Pair[] {
  const there = from.flatMap((one) => to.filter((other) => other !== one).map((other): Pair => [one, other]));
  const back = there.map(([one, other]): Pair => [other, one]);
  return isBothWays ? [...there, ...back] : there;
}

function changed(links: readonly Link[], ways: readonly Pair[], change: (link: Link) => Link): readonly Link[] {
  const all = new Map(links.map((link) => [keyOf(link.from, link.to), link]));
  for (const [from, to] of ways) {
    const key = keyOf(from, to);
    all.set(key, change(all.get(key) ?? { from, to, isCut: false, slowness: null }));
  }
  return [...all.values()].filter(({ isCut, slowness }) => isCut || slowness !== null);
}

function keyOf(from: string, to: string): string {
  return `${from} ${to}`;
}
