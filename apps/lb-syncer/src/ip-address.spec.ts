import { canonicalAddress, isSameAddress } from './ip-address';

describe('ip addresses', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['0:0:0:0:0:0:0:1', '[::1]'],
    ['FD00::0001', '[fd00::1]'],
    ['pg-0.example', null],
    ['fe80::1%eth0', null],
    ['', null],
  ])('gives %j one spelling', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
  });

  it('compares addresses, not spellings', () => {
    expect(isSameAddress('::ffff:10.0.0.1', '::ffff:a00:1')).toBe(true);
    expect(isSameAddress('10.0.0.1', '10.0.0.2')).toBe(false);
    expect(isSameAddress('nonsense', 'other nonsense')).toBe(false);
    expect(isSameAddress(undefined, '10.0.0.1')).toBe(false);
  });
});
