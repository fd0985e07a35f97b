import { CodedError, codeOf, defineErrors, exitCodeOf } from './coded-error';

const errors = defineErrors({
  HAPG_TEST_WORLD: { family: 'operating', help: 'Wait.' },
  HAPG_TEST_CONFIG: { family: 'configuration', help: 'Change it.' },
  HAPG_TEST_LIE: { family: 'invariant', help: 'Report it.' },
});

describe('errors of a catalogue', () => {
  it('carry code, family, help and the original error', () => {
    const cause = new Error('refused');
    const error = errors.HAPG_TEST_WORLD('Consul did not answer', { cause });
    expect(error).toBeInstanceOf(CodedError);
    expect(error).toMatchObject({ code: 'HAPG_TEST_WORLD', family: 'operating', help: 'Wait.', cause });
    expect(error.message).toBe('Consul did not answer');
  });

  it('end a process with the exit code of their family, anything else with 70', () => {
    expect(exitCodeOf(errors.HAPG_TEST_CONFIG('x'))).toBe(78);
    expect(exitCodeOf(errors.HAPG_TEST_LIE('x'))).toBe(70);
    expect(exitCodeOf(new Error('x'))).toBe(70);
    expect(exitCodeOf('x')).toBe(70);
  });

  it('are asked for their code like those of Node', () => {
    expect(codeOf(errors.HAPG_TEST_LIE('x'))).toBe('HAPG_TEST_LIE');
    expect(codeOf(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
    expect(codeOf(new Error('x'))).toBeUndefined();
    expect(codeOf(null)).toBeUndefined();
  });
});
