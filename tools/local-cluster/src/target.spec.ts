import { parseTarget } from './target';

describe('the target of a command', () => {
  it('is a member, or one of its processes', () => {
    expect(parseTarget('node0')).toEqual({ member: 'node0' });
    expect(parseTarget('lb1/haproxy')).toEqual({ member: 'lb1', process: 'haproxy' });
  });

  it.each(['', '/', 'node0/', '/postgres', 'a/b/c'])('is not %j', (text) => {
    expect(() => parseTarget(text)).toThrow(JSON.stringify(text));
  });
});
