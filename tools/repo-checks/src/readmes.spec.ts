import { codeBlocks } from './markdown';
import { APPS, LIBS } from './projects';
import { FILES, exists, read } from './repository';

const RUNNABLE = ['sh', 'bash', 'ts'];

const examplesOf = (folder: string): string[] =>
  FILES.filter((path) => path.startsWith(`${folder}/example/`) && path.endsWith('.ts'));

/** Lint's remarks are for this repository; a reader of the README has none of its rules. */
const withoutLintRemarks = (code: string): string => code.replace(/^\s*(?:\/\/|\/\*) eslint[ -].*\n/gm, '');

describe.each([...LIBS, ...APPS].map(({ folder }) => folder))('%s', (folder) => {
  test('has a README that begins with its name and one sentence', () => {
    expect(exists(`${folder}/README.md`)).toBe(true);
    const [heading = '', , sentence = ''] = read(`${folder}/README.md`).split('\n');
    expect(heading).toMatch(/^# \S+$/);
    expect(heading).toContain(folder.split('/')[1]);
    expect(sentence).toMatch(/^[A-Z]/);
  });

  test('has an example in its README that can be run', () => {
    const languages = codeBlocks(read(`${folder}/README.md`)).map(({ language }) => language);
    expect(languages.filter((language) => RUNNABLE.includes(language))).not.toEqual([]);
  });
});

describe.each(LIBS.map(({ folder }) => folder))('%s', (folder) => {
  test('has its example as a file, which is compiled, with the very code of the README', () => {
    const shown = codeBlocks(read(`${folder}/README.md`)).filter(({ language }) => language === 'ts');
    const examples = examplesOf(folder).map((path) => withoutLintRemarks(read(path)).trim());
    expect(examples).toHaveLength(1);
    expect(shown.map(({ code }) => code.trim())).toEqual(examples);
  });
});
