import { imagesOf } from './pods-images';
import { InstalledChart } from './installed-chart';
const t0 = Date.now();
const say = (m: string) => process.stderr.write(`${((Date.now() - t0) / 1000).toFixed(1)} ${m}\n`);
test('try', async () => {
  const images = await imagesOf('trixie');
  say('images ' + JSON.stringify(images));
  const chart = await InstalledChart.install(images);
  try {
    say('installed ' + chart.cluster.pods.map((p) => `${p.name} ${p.ip} ${JSON.stringify(p.restarts)}`).join(' '));
    say(JSON.stringify(await chart.query('select 1, inet_server_addr()').catch(String)));
    say(JSON.stringify(await chart.query('select pg_is_in_recovery()', 5433).catch(String)));
    say(JSON.stringify(await chart.test()));
    say(String(await chart.master()));
    const m = (await chart.master()) ?? '';
    say(await chart.hapg(m, 'status'));
    const old = await chart.cluster.delete(m);
    say('deleted ' + JSON.stringify(old.hooks));
    await chart.cluster.settled();
    say('settled ' + (await chart.master()));
  } finally {
    say('problems ' + JSON.stringify(chart.cluster.problems) + chart.cluster.logsDir);
    await chart.stop(true);
    say('stopped');
  }
}, 400_000);
