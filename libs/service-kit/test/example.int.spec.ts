import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { listenOn, portOf } from '../src';
import { createServer as createHttpServer } from 'node:http';
import { Fixture } from './fixture/run';

const EXAMPLE = join(__dirname, '..', 'example', 'hello.ts');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : NaN;
}

describe('the example', () => {
  let fixture: Fixture;
  beforeAll(() => {
    fixture = new Fixture(EXAMPLE);
  });
  afterAll(() => fixture.dispose());

  it('is the one in the README', () => {
    const code = readFileSync(EXAMPLE, 'utf8').replace(/^.*eslint-disable.*\n/m, '');
    expect(readFileSync(join(__dirname, '..', 'README.md'), 'utf8')).toContain(code);
  });

  it('greets, twice whoever knows the key', async () => {
    const port = await freePort();
    const app = fixture.run([`--port=${port}`], { HAPG_API_KEY: 'k' });
    await app.untilLogged('app.running');
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe('hello\n');
    const known = await fetch(`http://127.0.0.1:${port}`, { headers: { 'x-api-key': 'k' } });
    expect(await known.text()).toBe('hello\nhello\n');
    app.child.kill('SIGTERM');
    expect(await app.ended).toBe(0);
  });
});

describe('a server', () => {
  it('ends though a keep-alive connection is open and an answer never comes', async () => {
    const server = createHttpServer((request, response) => {
      if (request.url === '/') response.end('x');
    });
    const close = await listenOn(server, { host: '127.0.0.1', port: 0 });
    const url = `http://127.0.0.1:${portOf(server)}`;
    expect(await (await fetch(url)).text()).toBe('x');
    const unanswered = fetch(`${url}/never`);
    await once(server, 'request');
    await Promise.all([expect(unanswered).rejects.toThrow(), close(50)]);
    await expect(fetch(url)).rejects.toThrow();
  });
});
