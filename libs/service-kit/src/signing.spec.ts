import fc from 'fast-check';
import { RequestVerifier, SIGNATURE_HEADER, signAnswer, signRequest, verifyAnswer } from './signing';

const request = { method: 'POST', path: '/controller/vote?x=1', body: '{"term":7}' };

describe('signed requests', () => {
  it('are accepted from whoever knows the secret, once', () => {
    const verifier = new RequestVerifier('secret');
    const { nonce, headers } = signRequest('secret', request);
    expect(verifier.verify({ ...request, headers: { ...headers } })).toEqual({ ok: true, nonce });
    expect(verifier.verify({ ...request, headers: { ...headers } })).toEqual({ ok: false, why: 'replayed' });
  });

  it('are refused when method, path, body or secret differ', () => {
    const verifier = new RequestVerifier('secret');
    const headers = { ...signRequest('secret', request).headers };
    const changed = [{ method: 'GET' }, { path: '/controller/vote?x=2' }, { body: '{"term":8}' }];
    for (const change of changed) {
      expect(verifier.verify({ ...request, ...change, headers })).toEqual({ ok: false, why: 'bad-signature' });
    }
    const foreign = { ...signRequest('guess', request).headers };
    expect(verifier.verify({ ...request, headers: foreign })).toEqual({ ok: false, why: 'bad-signature' });
  });

  it('are refused without well-formed headers', () => {
    const verifier = new RequestVerifier('secret');
    const { headers } = signRequest('secret', request);
    const bad = [{}, { ...headers, [SIGNATURE_HEADER]: 'ab' }, { ...headers, 'x-hapg-nonce': undefined }];
    for (const some of bad) {
      expect(verifier.verify({ ...request, headers: some })).toEqual({ ok: false, why: 'unsigned' });
    }
  });

  it('are refused whatever single character of their signature is changed', () => {
    const verifier = new RequestVerifier('secret');
    const { headers } = signRequest('secret', request);
    const signature = headers[SIGNATURE_HEADER];
    fc.assert(
      fc.property(fc.nat(63), fc.constantFrom(...Array.from('0123456789abcdef')), (at, digit) => {
        fc.pre(signature[at] !== digit);
        const forged = signature.slice(0, at) + digit + signature.slice(at + 1);
        return !verifier.verify({ ...request, headers: { ...headers, [SIGNATURE_HEADER]: forged } }).ok;
      }),
    );
  });

  it('are remembered up to a bound, and strangers cannot push them out', () => {
    const verifier = new RequestVerifier('secret');
    const first = { ...signRequest('secret', request).headers };
    verifier.verify({ ...request, headers: first });
    for (let count = 0; count < 20_000; count += 1) {
      verifier.verify({ ...request, headers: { ...signRequest('guess', request).headers } });
    }
    expect(verifier.remembered).toBe(1);
    for (let count = 1; count < 10_000; count += 1) {
      verifier.verify({ ...request, headers: { ...signRequest('secret', request).headers } });
    }
    expect(verifier.verify({ ...request, headers: first })).toEqual({ ok: false, why: 'replayed' });
    for (let count = 0; count < 100; count += 1) {
      verifier.verify({ ...request, headers: { ...signRequest('secret', request).headers } });
    }
    expect(verifier.remembered).toBe(10_000);
  });
});

describe('signed answers', () => {
  it('are bound to the asker, the body and the secret', () => {
    const { nonce } = signRequest('secret', request);
    const headers = { ...signAnswer('secret', nonce, '{"agree":true}') };
    expect(verifyAnswer('secret', nonce, headers, '{"agree":true}')).toBe(true);
    expect(verifyAnswer('secret', nonce, headers, '{"agree":false}')).toBe(false);
    expect(verifyAnswer('other', nonce, headers, '{"agree":true}')).toBe(false);
    expect(verifyAnswer('secret', signRequest('secret', request).nonce, headers, '{"agree":true}')).toBe(false);
  });

  it('are not requests: a request reflected to its sender is no answer', () => {
    const { nonce, headers } = signRequest('secret', { ...request, body: '{}' });
    expect(verifyAnswer('secret', nonce, { ...headers }, '{}')).toBe(false);
  });
});
