import { Screen } from './screen';

const terminal = (rows: number, columns: number) => {
  const written: string[] = [];
  return { written, output: { write: (text: string) => written.push(text), isTTY: true, rows, columns } };
};

describe('the screen', () => {
  it('replaces a picture: goes up over the old one, clears, writes the new one', () => {
    const { written, output } = terminal(24, 80);
    const screen = new Screen(output);
    screen.show('one\ntwo');
    screen.show('three');
    expect(written[1]).toBe('\u001b[2F\u001b[Jthree\n');
  });

  it('cuts what does not fit, so that going up finds the first line again', () => {
    const { written, output } = terminal(3, 4);
    const screen = new Screen(output);
    screen.show('abcdefgh\nb\nc\nd');
    expect(written[0]?.endsWith('\u001b[Jabcd\nb\n')).toBe(true);
  });

  it('shows the cursor again at the end, and only if it was hidden', () => {
    const { written, output } = terminal(24, 80);
    const screen = new Screen(output);
    screen.end();
    expect(written).toEqual([]);
    screen.show('x');
    screen.end();
    expect(written.at(-1)).toBe('\u001b[?25h');
  });
});
