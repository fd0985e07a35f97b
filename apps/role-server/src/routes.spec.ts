import { start } from '../test/fixture/fakes';
import { sampleState } from '../test/fixture/sample-state';

describe('readiness paths', () => {
  it.each([
    ['/controller/ready', 200],
    ['/controller/ready?role=Replica', 200],
    ['/controller/ready?role=Master', 503],
    ['/controller/ready?role=Replica&lag=1kB', 200],
    ['/controller/ready?lag=1023', 503],
    ['/primary', 503],
    ['/replica', 200],
    ['/replica?lag=1kB', 200],
    ['/replica?lag=1023', 503],
    ['/health', 200],
    ['/readiness', 200],
    ['/liveness', 200],
  ])('%s of a Replica 1024 bytes behind answers %d', async (path, status) => {
    const { api, source } = start();
    source.tell({});
    for (const answer of [await api.get(path), await api.head(path), await api.options(path)]) {
      expect(answer.status).toBe(status);
    }
  });

  it.each([
    ['/primary', 200],
    ['/replica', 503],
    ['/controller/ready?role=Master&lag=0', 200],
  ])('%s of the Master answers %d', async (path, status) => {
    const { api, source } = start();
    source.tell({ role: 'Master' });
    await api.get(path).expect(status);
  });

  it.each([
    ['/controller/ready?role=Replica', 503],
    ['/replica', 503],
    ['/controller/ready', 200],
    ['/health', 200],
  ])('%s of a Replica that is not for reads answers %d', async (path, status) => {
    const { api, source } = start();
    source.tell({ whyNoReads: 'tagged noLoadBalance' });
    const answer = await api.get(path).expect(status);
    if (status === 503) expect(answer.body).toMatchObject({ why: 'tagged noLoadBalance' });
  });

  it('say why in JSON', async () => {
    const { api, source } = start();
    source.tell({ ready: false, readyWhy: 'Postgres is starting up' });
    const answer = await api.get('/controller/ready').expect(503).expect('content-type', /json/);
    expect(answer.body).toEqual({ ready: false, why: 'Postgres is starting up', node: 'pg1', role: 'Replica' });
  });

  it('end with the validity of the state, while the role-server itself lives on', async () => {
    const { api, source, clock } = start();
    await api.get('/health').expect(503);
    source.tell({});
    await api.get('/health').expect(200);
    clock.nanos = 2_000_000_000n;
    await api.get('/health').expect(503);
    await api.get('/liveness').expect(200);
    source.tell({ index: 42, validUntil: '2000000001' });
    await api.get('/health').expect(200);
  });

  it('are never ready for a DeadMaster', async () => {
    const { api, source } = start();
    source.tell({ role: 'DeadMaster', ready: true });
    for (const path of ['/controller/ready', '/primary', '/replica', '/health', '/readiness'])
      await api.get(path).expect(503);
  });

  it.each([
    ['/controller/ready?role=DeadMaster', 'role'],
    ['/controller/ready?role=master', 'role'],
    ['/controller/ready?lag=16mb', 'lag'],
    ['/controller/ready?lag=', 'lag'],
    ['/controller/ready?rol=Master', 'rol'],
    ['/controller/ready?role=Master&role=Replica', 'role'],
    ['/replica?role=Replica', 'role'],
    ['/primary?constructor=1', 'constructor'],
    ['/controller/role?index=-1', 'index'],
    ['/controller/role?index=1.5', 'index'],
    ['/controller/role?index=1&wait=30', 'wait'],
    ['/controller/role?index=1&wait=2m', 'wait'],
  ])('%s is refused and names %s', async (path, parameter) => {
    const { api, source } = start();
    source.tell({});
    const answer = await api.get(path).expect(400);
    expect(answer.body).toMatchObject({ error: { code: 'HAPG_BAD_PARAMETER', parameter } });
  });
});

describe('the role', () => {
  it('is text, and 503 until it is decided', async () => {
    const { api, source } = start();
    await api.get('/controller/role').expect(503);
    source.tell({ role: null });
    await api.get('/controller/role').expect(503);
    source.tell({ role: 'DeadMaster' });
    const answer = await api
      .get('/controller/role')
      .expect(200)
      .expect('content-type', /text\/plain/);
    expect(answer.text).toBe('DeadMaster');
  });

  it('as JSON passes deadline, boot and instruction on unchanged, and nothing that is not for the runner', async () => {
    const { api, source } = start();
    const state = sampleState({
      role: 'Master',
      validUntil: '18446744073709551',
      instruction: { kind: 'lead', term: 7 },
    });
    source.tell(state);
    const answer = await api.get('/controller/role').accept('application/json').expect(200);
    const { index, bootId, node, role, validUntil, term, instruction, master } = state;
    expect(answer.body).toEqual({ index, bootId, node, role, validUntil, term, instruction, master });
  });

  it('as JSON is given past its validity, for the runner judges itself, but not as text, which has no deadline', async () => {
    const { api, source, clock } = start();
    source.tell({ role: 'Master' });
    clock.nanos = 3_000_000_000n;
    const answer = await api.get('/controller/role').accept('application/json').expect(200);
    expect(answer.body).toMatchObject({ role: 'Master', validUntil: '2000000000' });
    await api.get('/controller/role').expect(503);
  });

  it('undecided tells the instruction all the same, with 503', async () => {
    const { api, source } = start();
    source.tell({ role: null, instruction: { kind: 'wait' } });
    const answer = await api.get('/controller/role').accept('application/json').expect(503);
    expect(answer.body).toMatchObject({
      error: { code: 'HAPG_UNDECIDED' },
      role: null,
      index: 41,
      instruction: { kind: 'wait' },
    });
  });

  it('with an index is told when it changes, or when the wait is over', async () => {
    const { api, source } = start();
    source.tell({ index: 41 });
    const late = await api.get('/controller/role?index=41&wait=5ms').accept('json').expect(200);
    expect(late.body).toMatchObject({ index: 41 });
    const answer = api.get('/controller/role?index=41&wait=30s').accept('json').expect(200);
    const sent = answer.then(({ body }) => body as unknown);
    while (source.published.waiting === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    source.tell({ index: 42, role: 'Master' });
    expect(await sent).toMatchObject({ index: 42, role: 'Master' });
  });
});

describe('the status', () => {
  it('is everything, and how far it may be believed', async () => {
    const { api, source, clock } = start();
    await api.get('/controller/status').expect(503);
    source.tell({});
    clock.nanos = 2_000_000_000n;
    source.isConnected = false;
    const answer = await api.get('/controller/status').expect(200);
    expect(answer.body).toMatchObject({
      ...sampleState(),
      roleServer: { controllerConnected: false, stateValid: false, why: 'the state ended to be valid 0 ms ago' },
    });
  });
});

describe('any other request', () => {
  it.each(['/', '/controller', '/controller/readyx', '/metrics/', '/Controller/ready'])(
    'to %s hears 404',
    async (path) => {
      const { api } = start();
      const answer = await api.get(path).expect(404);
      expect(answer.body).toMatchObject({ error: { code: 'HAPG_NO_SUCH_PATH' } });
    },
  );

  it.each([
    ['post', '/controller/ready', 'GET, HEAD, OPTIONS'],
    ['delete', '/controller/role', 'GET, HEAD'],
    ['options', '/controller/role', 'GET, HEAD'],
    ['put', '/controller/status', 'GET, HEAD'],
    ['get', '/controller/runner', 'POST'],
    ['get', '/controller/vote', 'POST'],
    ['patch', '/metrics', 'GET, HEAD'],
  ] as const)('%s %s hears 405 and what is allowed', async (method, path, allow) => {
    const { api } = start();
    await api[method](path).expect(405).expect('allow', allow);
  });
});

describe('metrics', () => {
  it('are our own and those of db-controller', async () => {
    const { api, controller } = start();
    controller.answer = {
      status: 200,
      body: '# HELP hapg_term Term\n# TYPE hapg_term gauge\nhapg_term{app="db-controller"} 7\n',
    };
    await api.get('/liveness');
    const answer = await api
      .get('/metrics')
      .expect(200)
      .expect('content-type', /version=0.0.4/);
    expect(answer.text).toContain('hapg_term{app="db-controller"} 7');
    expect(answer.text).toMatch(/hapg_role_server_answers_total\{path="\/liveness",status="200",app="role-server"\} 1/);
  });

  it('are our own when db-controller is away', async () => {
    const { api, controller } = start();
    controller.answer = new Error('away');
    await api.get('/liveness');
    const answer = await api.get('/metrics').expect(200);
    expect(answer.text).toContain('hapg_role_server_answers_total');
  });
});
