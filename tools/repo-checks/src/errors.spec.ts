import { CATALOGUED, CODES } from './error-codes';
import { read } from './repository';

/** Rows of docs/errors.md: code, family or status, what it means or what to do. */
const rows = [...read('docs/errors.md').matchAll(/^\| `([A-Z_]+)`\s*\|\s*([^|]*?)\s*\|(.*)\|\s*$/gm)].map(
  ([, code = '', kind = '', text = '']) => ({ code, kind, text: text.split('|').map((cell) => cell.trim()) }),
);

test('the sources hold the codes of every family and of every part', () => {
  expect(CODES).toEqual(
    expect.arrayContaining(['HAPG_CONFIG_INVALID', 'HAPG_CONSUL_NO_ANSWER', 'HAPG_STALE', 'HAPROXY_REFUSED']),
  );
  expect(new Set(CATALOGUED.map(({ family }) => family))).toEqual(new Set(['operating', 'configuration', 'invariant']));
});

test('every error code of the sources has one row in docs/errors.md, and every row a code', () => {
  expect(rows.map(({ code }) => code).sort()).toEqual(CODES);
});

test('docs/errors.md says of every catalogued code what the program itself says', () => {
  for (const { code, family, help } of CATALOGUED) {
    const row = rows.find((one) => one.code === code);
    expect({ code, kind: row?.kind, help: row?.text.at(-1) }).toEqual({ code, kind: family, help });
  }
});

test('every row tells the reader something', () => {
  for (const { text } of rows) for (const cell of text) expect(cell).toMatch(/^\S.{15,}/);
});
