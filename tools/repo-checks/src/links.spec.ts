import { posix } from 'node:path';
import { anchors, localLinks } from './markdown';
import { FILES, exists, read } from './repository';

const pages = FILES.filter((path) => path.endsWith('.md'));

function problemOf(page: string, link: string): string | null {
  const [target = '', anchor] = link.split('#', 2);
  const path = target === '' ? page : posix.normalize(posix.join(posix.dirname(page), decodeURI(target)));
  if (path.startsWith('..')) return `${page}: ${link} leaves the repository`;
  if (!exists(path.replace(/\/$/, ''))) return `${page}: nothing is at ${link}`;
  if (anchor === undefined || !path.endsWith('.md')) return null;
  return anchors(read(path)).includes(anchor) ? null : `${page}: no heading makes ${link}`;
}

test('every relative link of a page leads to a file, and every anchor to a heading', () => {
  const links = pages.flatMap((page) => localLinks(read(page)).map((link) => ({ page, link })));
  expect(links.length).toBeGreaterThan(50);
  expect(links.map(({ page, link }) => problemOf(page, link)).filter((problem) => problem !== null)).toEqual([]);
});

test('every command of tools/ that a page names is there', () => {
  const named = pages.flatMap((page) =>
    [...read(page).matchAll(/(?<![\w./@-])tools\/[a-z][a-z-]*/g)].map(([command]) => ({ page, command })),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(({ command }) => !exists(command))).toEqual([]);
});
