import { Published } from './published';

const at = (index: number, text = ''): { index: number; text: string } => ({ index, text });

describe('a published value', () => {
  it('answers at once whoever knows another index, lower or higher', async () => {
    const published = new Published(at(5));
    await expect(published.waitBeyond(4, 60_000)).resolves.toEqual(at(5));
    await expect(published.waitBeyond(6, 60_000)).resolves.toEqual(at(5));
    expect(published.waiting).toBe(0);
  });

  it('answers all who wait when it moves on', async () => {
    const published = new Published(at(1));
    const answers = Promise.all([published.waitBeyond(1, 60_000), published.waitBeyond(1, 60_000)]);
    expect(published.waiting).toBe(2);
    published.publish(at(1, 'same index: nothing to tell'));
    expect(published.waiting).toBe(2);
    published.publish(at(2));
    await expect(answers).resolves.toEqual([at(2), at(2)]);
    expect(published.waiting).toBe(0);
  });

  it('answers with what it has when the wait is over', async () => {
    const published = new Published(at(1));
    await expect(published.waitBeyond(1, 5)).resolves.toEqual(at(1));
    await expect(published.waitBeyond(1, 0)).resolves.toEqual(at(1));
    expect(published.waiting).toBe(0);
  });

  it('lets go of an asker that went away', async () => {
    const published = new Published(at(1));
    const asker = new AbortController();
    const answer = published.waitBeyond(1, 60_000, asker.signal);
    asker.abort(new Error('gone'));
    await expect(answer).rejects.toThrow('gone');
    await expect(published.waitBeyond(1, 60_000, asker.signal)).rejects.toThrow('gone');
    expect(published.waiting).toBe(0);
  });
});
