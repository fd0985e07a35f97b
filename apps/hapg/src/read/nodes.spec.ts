import fc from 'fast-check';
import { status } from '../testing/samples';
import { understandNode } from './nodes';

const PLACE = { name: null, host: 'a.local', apiPort: 8080 };
const STATE = {
  status: status('a'),
  ready: true,
  readyWhy: 'healthy',
  instruction: { kind: 'stop', mode: 'fast', why: 'its lease ended' },
  roleServer: { stateValid: true, why: '' },
};

test('a node that answers is called by the name that it gives itself', () => {
  expect(understandNode(PLACE, 200, JSON.stringify(STATE))).toMatchObject({
    kind: 'answered',
    place: { name: 'a' },
    ready: true,
    isValid: true,
    instruction: 'stop',
    instructionWhy: 'its lease ended',
  });
});

test('a node whose controller has decided nothing yet is undecided, and says why', () => {
  const body = JSON.stringify({ error: { code: 'HAPG_UNDECIDED', message: 'no state yet' } });
  expect(understandNode(PLACE, 503, body)).toEqual({ kind: 'undecided', place: PLACE, why: 'no state yet' });
});

test('another server at that address is no node', () => {
  expect(understandNode(PLACE, 200, '<html>')).toMatchObject({ kind: 'silent', why: 'answered 200 "<html>"' });
  expect(understandNode(PLACE, 200, '{}')).toMatchObject({ kind: 'silent' });
});

test('nothing that is answered ends it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), fc.oneof(fc.string(), fc.json()), (code, body) => {
      expect(['answered', 'undecided', 'silent']).toContain(understandNode(PLACE, code, body).kind);
    }),
  );
});
