import { cutLinks, healLinks, rulesOf, slowLinks, type Link } from './links';

const slowness = { delayMs: 100, jitterMs: 0, lossPercent: 0 };
const rules = (links: readonly Link[]) => rulesOf(links, (member) => `<${member}>`);
const cut = (from: string, to: string) => `pref 100 from <${from}> to <${to}> blackhole`;
const slow = (from: string, to: string) => `pref 200 from <${from}> to <${to}> iif ${from} lookup 100`;

describe('the ways between members', () => {
  it('are cut in both directions, between every two of two groups', () => {
    const links = cutLinks([], { from: ['a'], to: ['b', 'c'] }, false);
    expect(rules(links)).toEqual([cut('a', 'b'), cut('a', 'c'), cut('b', 'a'), cut('c', 'a')]);
  });

  it('are cut in one direction if told so', () => {
    expect(rules(cutLinks([], { from: ['a'], to: ['b'] }, true))).toEqual([cut('a', 'b')]);
  });

  it('leave out the way of a member to itself', () => {
    expect(rules(cutLinks([], { from: ['a'], to: ['a', 'b'] }, true))).toEqual([cut('a', 'b')]);
  });

  it('are slow in both directions, also where they were cut', () => {
    const links = slowLinks(cutLinks([], { from: ['a'], to: ['b'] }, true), { from: ['b'], to: ['a'] }, slowness);
    expect(rules(links)).toEqual([cut('a', 'b'), slow('a', 'b'), slow('b', 'a')]);
  });

  it('are slow as they were told last', () => {
    const ends = { from: ['a'], to: ['b'] };
    const again = slowLinks(slowLinks([], ends, slowness), ends, { ...slowness, delayMs: 7 });
    expect(again.map((link) => link.slowness?.delayMs)).toEqual([7, 7]);
  });

  it('are healed between two groups, and stay as they are elsewhere', () => {
    const links = cutLinks([], { from: ['a'], to: ['b', 'c'] }, false);
    expect(rules(healLinks(links, { from: ['b'], to: ['a'] }))).toEqual([cut('a', 'c'), cut('c', 'a')]);
  });
});
