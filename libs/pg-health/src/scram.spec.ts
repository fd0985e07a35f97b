import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { ScramKeyring, ScramLogin, isPlainPassword } from './scram';

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();
const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
const xor = (a: Buffer, b: Buffer): Buffer => Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));

/** The server's side of RFC 5802: it knows StoredKey and ServerKey, and not the password. */
function server(password: string, salt: Buffer, iterations = 4096) {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const storedKey = sha256(hmac(salted, 'Client Key'));
  const serverKey = hmac(salted, 'Server Key');
  return {
    first: (clientFirst: string, more = 'more'): string =>
      `r=${clientFirst.split(',r=')[1] ?? ''}${more},s=${salt.toString('base64')},i=${iterations}`,
    /** Its last message, or null if the proof is none. */
    last: (clientFirst: string, serverFirst: string, clientLast: string): string | null => {
      const [, withoutProof = '', proof = ''] = /^(.*),p=(.*)$/.exec(clientLast) ?? [];
      const all = `${clientFirst.replace('n,,', '')},${serverFirst},${withoutProof}`;
      const clientKey = xor(Buffer.from(proof, 'base64'), hmac(storedKey, all));
      return sha256(clientKey).equals(storedKey) ? `v=${hmac(serverKey, all).toString('base64')}` : null;
    },
  };
}

const salt = Buffer.from('0123456789abcdef');

describe('a login by SCRAM', () => {
  it('proves the password to a server that knows only its keys, and sees that the server does', async () => {
    const pg = server('pencil', salt);
    const keyring = new ScramKeyring('pencil');
    for (const login of [new ScramLogin(), new ScramLogin()]) {
      const first = pg.first(login.first);
      const last = pg.last(login.first, first, await login.answer(first, keyring));
      expect(last).not.toBeNull();
      login.verify(last ?? '');
    }
  });

  it('with a wrong password proves nothing', async () => {
    const pg = server('pencil', salt);
    const login = new ScramLogin();
    const first = pg.first(login.first);
    expect(pg.last(login.first, first, await login.answer(first, new ScramKeyring('pen')))).toBeNull();
  });

  it('never uses a nonce twice', () => {
    expect(new ScramLogin().first).not.toBe(new ScramLogin().first);
  });

  it.each([
    ['that plays back another login', 'v=AAAA'],
    ['that says nothing', ''],
    ['that refuses', 'e=other-error'],
  ])('does not believe a server %s', async (_, last) => {
    const pg = server('pencil', salt);
    const login = new ScramLogin();
    await login.answer(pg.first(login.first), new ScramKeyring('pencil'));
    expect(() => login.verify(last)).toThrow(/does not know the password/);
  });

  it('does not believe a last message before the first', () => {
    expect(() => new ScramLogin().verify('v=')).toThrow(/does not know the password/);
  });

  it.each([
    ['of another login', () => server('pencil', salt).first(new ScramLogin('other').first), /nonce/],
    ['that adds nothing to our nonce', (first: string) => server('pencil', salt).first(first, ''), /nonce/],
    ['without a salt', () => 'r=abc,i=4096', /not a first message/],
    ['that asks for endless work', () => 'r=mine+more,s=AAAA,i=100001', /100001 iterations/],
  ])('refuses a first message %s', async (_, first, why) => {
    const login = new ScramLogin('mine+');
    await expect(login.answer(first(login.first), new ScramKeyring('pencil'))).rejects.toThrow(why);
  });
});

describe('the keys of a password', () => {
  const first = { nonce: '', salt: salt.toString('base64'), iterations: 4096 };

  it('are derived once while salt and count stay, and anew when one changes', async () => {
    const keyring = new ScramKeyring('pencil');
    const keys = await keyring.keys(first);
    expect(await keyring.keys({ ...first, nonce: 'another' })).toBe(keys);
    expect(await keyring.keys({ ...first, iterations: 4097 })).not.toEqual(keys);
    const moved = await keyring.keys({ ...first, salt: 'AAAA' });
    expect(moved).not.toEqual(keys);
    expect(await keyring.keys({ ...first, salt: 'AAAA' })).toBe(moved);
  });
});

describe('a password', () => {
  it.each([
    ['of printable ASCII is plain', 'a b~!', true],
    ['with a letter that SASLprep may change is not', 'ﬁ', false],
    ['with a control character is not', 'a\tb', false],
    ['that is empty is not', '', false],
    ['that is none is not', undefined, false],
  ])('%s', (_, password, isPlain) => {
    expect(isPlainPassword(password)).toBe(isPlain);
  });
});
