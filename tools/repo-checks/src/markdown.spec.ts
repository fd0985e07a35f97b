import { anchors, codeBlocks, localLinks } from './markdown';

const fence = '```';
const page = [
  '# The *first* `page`',
  'See [a](a.md), [b](../b.md#c "title"), [out](https://example.org/x.md), ![p](p.png) and `[no](no.md)`.',
  `${fence}ts`,
  '# no heading',
  "const link = '[no](neither.md)';",
  fence,
  '## Twice, & again',
  '## Twice, & again',
].join('\n');

test('links are those of the text that lead to files of the repository', () => {
  expect(localLinks(page)).toEqual(['a.md', '../b.md#c', 'p.png']);
});

test('anchors are spelled as GitHub spells them, a repeated one with a number', () => {
  expect(anchors(page)).toEqual(['the-first-page', 'twice--again', 'twice--again-1']);
});

test('a code block is what stands between its fences', () => {
  expect(codeBlocks(page)).toEqual([{ language: 'ts', code: "# no heading\nconst link = '[no](neither.md)';\n" }]);
});
