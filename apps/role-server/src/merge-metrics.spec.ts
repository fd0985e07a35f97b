import { Metrics } from '@ha-postgres/service-kit';
import { mergeMetrics } from './merge-metrics';

describe('metrics of two processes', () => {
  it('are told with one description for each family and all its samples together', () => {
    const own = '# HELP cpu CPU\n# TYPE cpu gauge\ncpu{app="a"} 1\n\n# HELP x X\n# TYPE x counter\nx{app="a"} 2\n';
    const theirs = '# HELP y Y\n# TYPE y counter\ny{app="b"} 3\n\n# HELP cpu CPU\n# TYPE cpu gauge\ncpu{app="b"} 4\n';
    expect(mergeMetrics(own, theirs)).toBe(
      '# HELP cpu CPU\n# TYPE cpu gauge\ncpu{app="a"} 1\ncpu{app="b"} 4\n\n' +
        '# HELP x X\n# TYPE x counter\nx{app="a"} 2\n\n' +
        '# HELP y Y\n# TYPE y counter\ny{app="b"} 3\n',
    );
  });

  it('are our own where the other says nothing', () => {
    const own = '# HELP x X\n# TYPE x counter\nx 2\n';
    expect(mergeMetrics(own, '')).toBe(own);
  });

  it('lose no sample and repeat no description of real registries', async () => {
    const [first, second] = [new Metrics({ app: 'a' }), new Metrics({ app: 'b' })];
    first.histogram('wait_seconds', 'Wait').observe(1);
    second.histogram('wait_seconds', 'Wait').observe(2);
    const texts = await Promise.all([first.text(), second.text()]);
    const merged = mergeMetrics(texts[0], texts[1]).split('\n');
    const samples = texts.flatMap((text) => text.split('\n').filter((line) => line !== '' && !line.startsWith('#')));
    expect(merged.filter((line) => line !== '' && !line.startsWith('#')).toSorted()).toEqual(samples.toSorted());
    const types = merged.filter((line) => line.startsWith('# TYPE'));
    expect(new Set(types).size).toBe(types.length);
  });
});
