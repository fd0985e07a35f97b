import { environmentName, parseCount, parseSetting } from './options';

describe('--set', () => {
  it('reads an option and its value, which may hold "=" itself', () => {
    expect(parseSetting('settings=work_mem=8MB')).toEqual(['settings', 'work_mem=8MB']);
  });

  it.each(['leaseDuration', '=5s', 'lease-duration=5s', 'LEASE=5s', ''])('refuses %j and names it', (text) => {
    expect(() => parseSetting(text)).toThrow(JSON.stringify(text));
  });

  it.each([
    ['leaseDuration', 'HAPG_LEASE_DURATION'],
    ['node', 'HAPG_NODE'],
    ['aliveCheckFailureThreshold', 'HAPG_ALIVE_CHECK_FAILURE_THRESHOLD'],
  ])('gives option %s to the services as %s', (option, variable) => {
    expect(environmentName(option)).toBe(variable);
  });
});

describe('a count', () => {
  it('is a whole number within its bounds', () => {
    expect(parseCount('--nodes', '3', 1, 9)).toBe(3);
  });

  it.each(['0', '10', '1.5', '-1', 'three', ''])('of %j is refused with the bounds', (text) => {
    expect(() => parseCount('--nodes', text, 1, 9)).toThrow(
      `--nodes ${JSON.stringify(text)}: a whole number from 1 to 9`,
    );
  });
});
