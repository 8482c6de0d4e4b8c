/** libFuzzer over every target of native/fuzz for a moment, and over their planted faults. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { buildFuzzer, whyNot } from './build.js';
import { Interrupted, nativeTargets, runTarget } from './libfuzzer.js';

const CLEAN = { seconds: 1, inputs: 20_000 };
/** Most are noticed within the first second. */
const PLANTED_S = 30;

const reason = whyNot();
const program = reason === null ? await buildFuzzer('plain') : '';
const targets = nativeTargets().map(({ name }) => name);

t.test('the targets are those of native/fuzz', async (t) => {
  t.same(targets, ['token', 'packet', 'control', 'cmsg', 'rl1', 'server']);
});

/** A program for as long as a minute in place of the fuzzer. */
function idler(t: Test): string {
  const file = join(t.testdir({ idler: '#!/bin/sh\nexec sleep 60\n' }), 'idler');
  chmodSync(file, 0o755);
  return file;
}

t.test('a fuzzer that does not run has found nothing, not even what is planted', async (t) => {
  const run = runTarget('/bin/false', 'token', { seconds: 1, planted: true });
  await t.rejects(run, { message: /^token does not run, 1:/ });
});

t.test('who ends a run ends the fuzzer', async (t) => {
  const run = runTarget(idler(t), 'token', { seconds: 60 });
  process.emit('SIGHUP', 'SIGHUP');
  await t.rejects(run, new Interrupted('SIGHUP'));
});

t.test(
  'a moment of coverage-guided fuzzing finds nothing',
  { skip: reason ?? false },
  async (t) => {
    for (const name of targets) {
      const { finding, inputs } = await runTarget(program, name, CLEAN);
      t.equal(finding, null, `${name}: ${finding?.hex}\n${finding?.report}`);
      t.ok(inputs > 0, `${name}: ${inputs} inputs`);
    }
  },
);

t.test('every planted fault is noticed', { skip: reason ?? false }, async (t) => {
  for (const name of targets) {
    const run = await runTarget(program, name, { seconds: PLANTED_S, planted: true, seed: 1 });
    t.match(run.finding?.report, /panicked at/, `${name}, after ${run.inputs} inputs`);
  }
});
