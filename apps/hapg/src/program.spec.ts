import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { runProgram } from './program';
import { Terminal } from './terminal';

async function run(arguments_: readonly string[], environment: Record<string, string> = {}) {
  const output = new PassThrough();
  const errorOutput = new PassThrough();
  const terminal = new Terminal(new PassThrough(), output, errorOutput);
  const said = text(output);
  const complained = text(errorOutput);
  const code = await runProgram(arguments_, {
    terminal,
    // A port that is never free for Consul.
    environment: { CONSUL_HTTP_ADDR: '127.0.0.1:1', ...environment },
    signal: new AbortController().signal,
  });
  output.end();
  errorOutput.end();
  return { code, said: await said, complained: await complained };
}

test('help lists the commands, and a command’s help its options with their variables', async () => {
  expect(await run(['--help'])).toMatchObject({ code: 0, said: expect.stringContaining('history') as string });
  const { code, said } = await run(['status', '--help']);
  expect(code).toBe(0);
  expect(said).toContain('HAPG_CONSUL_PREFIX');
});

test.each([
  [[], 'Usage'],
  [['bogus'], "unknown command 'bogus'"],
  [['status', '--bogus'], '--bogus'],
  [['status', 'surplus'], 'too many arguments'],
  [['status', '--request-timeout', 'soon'], '"soon" is not a duration'],
  [['status', '--role-servers', 'http://x'], 'http://x'],
  [['history', '--last', '0'], '0 must be at least 1'],
  [['status', '--consul-prefix', '/x/'], '/x/'],
] as const)('%j is a wrong command line, and the bad value is named', async (arguments_, named) => {
  const { code, complained } = await run(arguments_);
  expect(complained).toContain(named);
  expect(code).toBe(2);
});

test('a variable is read for what all commands take, and judged like a flag', async () => {
  const { code, complained } = await run(['history'], { HAPG_REQUEST_TIMEOUT: 'soon' });
  expect(complained).toContain('HAPG_REQUEST_TIMEOUT');
  expect(code).toBe(2);
});

test('what all commands take may stand before the command too; behind it, it counts', async () => {
  const both = await run(['--request-timeout', '1s', 'history', '--request-timeout', 'soon']);
  expect(both).toMatchObject({ code: 2, complained: expect.stringContaining('"soon"') as string });
  const before = await run(['--request-timeout', 'late', 'history']);
  expect(before).toMatchObject({ code: 2, complained: expect.stringContaining('"late"') as string });
});

test('Consul that does not answer is a failure, not a wrong command line', async () => {
  expect(await run(['history'])).toMatchObject({
    code: 1,
    complained: expect.stringContaining('HAPG_CONSUL_NO_ANSWER') as string,
  });
});

test('status without Consul still says what it knows', async () => {
  const { code, said } = await run(['status']);
  expect(said).toContain('Consul does not answer');
  expect(code).toBe(0);
});

test('nothing that can be typed ends it otherwise than with one of its exit codes', async () => {
  const word = fc.oneof(
    fc.constantFrom('status', 'history', 'pause', 'resume', '--json', '--last', '--why', '--to', '--yes', '--'),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 5 }), async (arguments_) => {
      fc.pre(!arguments_.includes('--watch'));
      expect([0, 1, 2]).toContain((await run(arguments_)).code);
    }),
    { numRuns: 60 },
  );
});
