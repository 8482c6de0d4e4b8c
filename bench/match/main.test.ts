/** The main job as a program: real processes, real sockets; nothing depends on the machine's speed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ended, skip, start, TIMEOUT_MS } from './test-job.js';

t.setTimeout(TIMEOUT_MS);

t.test('a short match on both wires: report, agreement, exit 0', { skip }, async (t) => {
  const file = join(t.testdir(), 'out.json');
  const args = ['--duration', '2', '--players', '4', '--report', file];
  const { code, stdout, stderr } = await ended(start(t, args));
  t.same({ code, stderr }, { code: 0, stderr: '' });
  t.match(stdout, /second 1\n.*udp.*json-ws/s);
  t.match(stdout, 'every player got exactly the events its match sent');
  const report = JSON.parse(readFileSync(file, 'utf8'));
  for (const wire of ['udp', 'json-ws']) {
    const figures = report.wires[wire];
    t.match(figures, { players: 4, lossRatio: 0, eventsAgree: true }, wire);
    for (const name of ['messagesIn', 'messagesOut', 'bytesPerMessage', 'serverCpuNsPerMessage']) {
      t.ok(figures[name] > 0, `${wire} ${name} ${figures[name]}`);
    }
    t.ok(figures.rttUs.p50 > 0 && figures.rttUs.p99 >= figures.rttUs.p50);
    t.match(figures.gcPauseMs, { count: Number, max: Number, total: Number });
    t.type(figures.resends, 'number');
  }
  t.ok(report.ratios.bytesPerMessage > 1, 'udp costs fewer bytes');
  t.equal(report.wires.udp.serverPacketsOut <= report.wires.udp.messagesOut, true, 'coalesced');
});

t.test(
  'both wires lose real packets, and every event arrives all the same',
  { skip },
  async (t) => {
    const file = join(t.testdir(), 'out.json');
    const impairment = ['--loss', '0.1', '--delay', '5'];
    const args = ['--duration', '3', '--players', '4', ...impairment, '--report', file];
    const { code, stderr } = await ended(start(t, args));
    if (code === 2) {
      t.match(stderr, /^error: --loss and --delay[^\n]*\n$/, 'one clear line');
      t.comment(`skipped: ${stderr.trim()}`);
      return;
    }
    t.same({ code, stderr }, { code: 0, stderr: '' });
    const report = JSON.parse(readFileSync(file, 'utf8'));
    t.ok(report.forwarder.serverToPlayers.dropped > 0);
    t.ok(report.forwarder.playersToServer.dropped > 0);
    t.ok(report.wires.udp.lossRatio > 0.02 && report.wires.udp.lossRatio < 0.2);
    t.ok(report.wires['json-ws'].resends > 0, 'TCP had to send again');
    t.ok(report.wires.udp.rttUs.p50 >= 10_000 && report.wires['json-ws'].rttUs.p50 >= 10_000);
  },
);
