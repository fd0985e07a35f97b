import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Terminal } from './terminal';

function terminalWith(isTTY: boolean, answer = '') {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = new PassThrough();
  const errorOutput = new PassThrough();
  if (answer !== '') input.end(answer);
  return { terminal: new Terminal(input, output, errorOutput), output, errorOutput };
}

const never = new AbortController().signal;

test('without a terminal nothing dangerous happens unless --yes was given', async () => {
  const { terminal } = terminalWith(false);
  await expect(terminal.confirm(['danger'], false, never)).rejects.toMatchObject({ code: 'HAPG_COMMAND_UNCONFIRMED' });
  await expect(terminal.confirm(['danger'], true, never)).resolves.toBeUndefined();
});

test.each(['y\n', 'no\n', 'YES\n', '\n'])('%j is no confirmation', async (answer) => {
  const { terminal } = terminalWith(true, answer);
  await expect(terminal.confirm(['danger'], false, never)).rejects.toMatchObject({ code: 'HAPG_COMMAND_UNCONFIRMED' });
});

test('yes is, and what it is about was shown before, apart from the output', async () => {
  const { terminal, output, errorOutput } = terminalWith(true, 'yes\n');
  await terminal.confirm(['this loses data'], false, never);
  output.end();
  errorOutput.end();
  expect(await text(output)).toBe('');
  expect(await text(errorOutput)).toContain('this loses data');
});
