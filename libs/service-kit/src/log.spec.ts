import { createLogger } from './log';

describe('the log', () => {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  beforeEach(() => lines.splice(0));

  it('writes one JSON object a line with level, app and fields of event and child', () => {
    const log = createLogger({ name: 'db-controller', level: 'info', base: { node: 'pg0' }, destination });
    log.child({ cycle: 7 }).info({ event: 'role.changed', role: 'Master' }, 'role changed');
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'info',
        app: 'db-controller',
        node: 'pg0',
        cycle: 7,
        event: 'role.changed',
        msg: 'role changed',
      }),
    ]);
  });

  it('leaves out lines below its level and shows errors with their code and cause', () => {
    const log = createLogger({ name: 'x', level: 'warn', destination });
    log.info({ event: 'quiet' });
    log.warn({
      event: 'loud',
      err: Object.assign(new Error('no answer', { cause: new Error('refused') }), { code: 'HAPG_X' }),
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ event: 'loud', err: { code: 'HAPG_X', message: 'no answer: refused' } });
  });
});
