// Asks a server for the same path ten times, over one connection.
//   node ask-again.js http://127.0.0.1:8500/v1/status/leader
import { HttpConnections, addressOf } from '@ha-postgres/lean-http';

async function main(url: string): Promise<void> {
  const server = new HttpConnections(addressOf(url), { bodyBytesMax: 1_000_000 });
  for (let asked = 1; asked <= 10; asked += 1) {
    const { answer, cut } = server.send({ method: 'GET', path: new URL(url).pathname });
    const limit = setTimeout(() => cut(new Error('took longer than a second')), 1_000);
    const { status, body, header } = await answer.finally(() => clearTimeout(limit));
    process.stdout.write(`${asked}: ${status} ${header('content-type') ?? 'of no type'}, ${body.length} characters\n`);
  }
  server.close();
}

void main(process.argv[2] ?? 'http://127.0.0.1:8500/v1/status/leader');
