import { describe, expect, it } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { confirmTerm, readStatus, timelineOfBackup } from './upstream-status';

const status = (dataTerm: number, timeline: number) => JSON.stringify({ status: { node: 'n1', dataTerm, timeline } });

/** Gives these answers one after the other, the last for ever; null: 503. */
async function upstreamThatSays(answers: (string | null)[]): Promise<{ server: Server; apiPort: number }> {
  const server = createServer((_, response) => {
    const body = answers.length > 1 ? answers.shift() : answers[0];
    response.writeHead(body == null ? 503 : 200).end(body ?? '{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, apiPort: (server.address() as AddressInfo).port };
}

async function confirm(answers: (string | null)[], copied: number | null, signal = new AbortController().signal) {
  const { server, apiPort } = await upstreamThatSays(answers);
  try {
    await confirmTerm({ node: 'n1', host: '127.0.0.1', port: 1, apiPort, term: 3 }, copied, signal);
  } finally {
    server.close();
  }
  return answers.length;
}

describe('the upstream', () => {
  it('is asked until it has said that its data is of the term, and the copy of its timeline', async () => {
    expect(await confirm([null, 'what?', status(2, 4), status(3, 4), status(3, 5)], 5)).toBe(1);
    expect(await confirm([status(3, 4), 'not asked again'], null)).toBe(1);
  });

  it('that has been promoted since is not waited for', async () => {
    await expect(confirm([status(4, 6)], 6)).rejects.toThrow('the data of n1 is of term 4, not 3');
  });

  it('that does not say it is not copied', async () => {
    await expect(confirm([null, status(3, 4)], null)).rejects.toThrow('n1 does not say of which term its data is');
  });

  it('is asked no more when the copy is not wanted any more', async () => {
    const end = new AbortController();
    const asked = confirm([null], 5, end.signal);
    end.abort(new Error('not wanted'));
    await expect(asked).rejects.toThrow('not wanted');
  });

  it.each(['', '{}', '{"status":{"node":"n1"}}', '{"status":{"node":"n1","dataTerm":1,"timeline":"2"}}'])(
    'says nothing by %p',
    (body) => expect(readStatus(body)).toBeNull(),
  );
});

describe('a base backup', () => {
  it('tells by its label on which timeline it began', () => {
    const directory = mkdtempSync(join(tmpdir(), 'hapg-label-'));
    const label = join(directory, 'backup_label');
    writeFileSync(label, 'START WAL LOCATION: 0/6000028 (file 000000020000000000000006)\nSTART TIMELINE: 2\n');
    expect(timelineOfBackup(directory)).toBe(2);
    writeFileSync(label, 'LABEL: x\n');
    expect(() => timelineOfBackup(directory)).toThrow('does not tell');
    rmSync(directory, { recursive: true });
  });
});
