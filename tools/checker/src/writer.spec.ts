import { DatabaseError } from 'pg';
import { isRefusal } from './writer';

const answered = (severity: string) => Object.assign(new DatabaseError('x', 1, 'error'), { severity });

describe('a write that failed', () => {
  it('had no effect if PostgreSQL answered ERROR', () => {
    expect(isRefusal(answered('ERROR'))).toBe(true);
  });

  it.each([answered('FATAL'), new Error('Connection terminated unexpectedly'), new Error('Query read timeout')])(
    'may have been carried out after %s',
    (error) => {
      expect(isRefusal(error)).toBe(false);
    },
  );
});
