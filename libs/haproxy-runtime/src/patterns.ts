import { action, query, type Command, type Query } from './command';
import { argumentError, unreadable } from './errors';
import { word } from './words';

// Maps and ACLs are lists of patterns, named by file or by `#<number>`.

/** A map or ACL that is loaded. */
export interface PatternList {
  readonly number: number;
  /** Undefined where it comes from no file. */
  readonly file: string | undefined;
  readonly description: string;
}

export interface MapEntry {
  readonly id: string;
  readonly key: string;
  readonly value: string;
}

export interface AclEntry {
  readonly id: string;
  readonly pattern: string;
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

export function parsePatternLists(text: string): readonly PatternList[] {
  return linesOf(text)
    .filter((line) => !line.startsWith('#'))
    .map((line) => {
      const [, number, file, description] = /^(\d+) \((.*?)\) (.*)$/.exec(line) ?? [];
      if (number === undefined || description === undefined) throw unreadable('not a list of patterns', line);
      return { number: Number(number), file: file === '' ? undefined : file, description };
    });
}

/** A key that holds a blank cannot be told from its value in HAProxy's answer: the key is read up to the first. */
export function parseMap(text: string): readonly MapEntry[] {
  return linesOf(text).map((line) => {
    const [, id, key, value] = /^(0x[0-9a-f]+) (\S+) (.*)$/.exec(line) ?? [];
    if (id === undefined || key === undefined || value === undefined) throw unreadable('not a map entry', line);
    return { id, key, value };
  });
}

export function parseAcl(text: string): readonly AclEntry[] {
  return linesOf(text).map((line) => {
    const [, id, pattern] = /^(0x[0-9a-f]+) (.*)$/.exec(line) ?? [];
    if (id === undefined || pattern === undefined) throw unreadable('not an ACL entry', line);
    return { id, pattern };
  });
}

/** `#` before a key would name an entry by its id instead. */
function keyWord(key: string): string {
  if (key.startsWith('#')) throw argumentError('key', key, 'must not begin with "#", which names an entry by its id');
  return word('key', key);
}

export const showMaps = (): Query<readonly PatternList[]> => query('show map', parsePatternLists);

export const showMap = (map: string): Query<readonly MapEntry[]> => query(`show map ${word('map', map)}`, parseMap);

/** What the map gives for a key that it looks up as HAProxy does (prefix, subnet, …); undefined if nothing. */
export const getMap = (map: string, key: string): Query<string | undefined> =>
  query(`get map ${word('map', map)} ${word('key', key)}`, (text) => {
    const [, found] = /(?:^|, )found=(yes|no)/.exec(text) ?? [];
    const [, value] = /, value="(.*)", type="[^"]*"$/.exec(text.trim()) ?? [];
    if (found === 'yes' && value !== undefined) return value;
    if (found === 'no') return undefined;
    throw unreadable('not an answer of "get map"', text);
  });

/** Adds an entry; a second one of the same key stands behind the first. */
export const addMap = (map: string, key: string, value: string): Command =>
  action(`add map ${word('map', map)} ${keyWord(key)} ${word('value', value)}`);

/** Changes the value of every entry of the key; refused (`NotFound`) if there is none. */
export const setMap = (map: string, key: string, value: string): Command =>
  action(`set map ${word('map', map)} ${keyWord(key)} ${word('value', value)}`);

export const deleteMap = (map: string, key: string): Command => action(`del map ${word('map', map)} ${keyWord(key)}`);

export const clearMap = (map: string): Command => action(`clear map ${word('map', map)}`);

export const showAcls = (): Query<readonly PatternList[]> => query('show acl', parsePatternLists);

export const showAcl = (acl: string): Query<readonly AclEntry[]> => query(`show acl ${word('acl', acl)}`, parseAcl);

/** Whether the value matches any pattern of the ACL. */
export const getAcl = (acl: string, value: string): Query<boolean> =>
  query(`get acl ${word('acl', acl)} ${word('value', value)}`, (text) => {
    const [, match] = /(?:^|, )match=(yes|no)/.exec(text) ?? [];
    if (match === undefined) throw unreadable('not an answer of "get acl"', text);
    return match === 'yes';
  });

export const addAcl = (acl: string, pattern: string): Command =>
  action(`add acl ${word('acl', acl)} ${keyWord(pattern)}`);

export const deleteAcl = (acl: string, pattern: string): Command =>
  action(`del acl ${word('acl', acl)} ${keyWord(pattern)}`);

export const clearAcl = (acl: string): Command => action(`clear acl ${word('acl', acl)}`);
