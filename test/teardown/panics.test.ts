import t from 'tap';
import { ADDON_VARIABLE } from '../../src/addon/load-binding.js';
import { buildPlanted } from './planted-addon.js';
import { preparePrograms, runProgram } from './run-program.js';

const folder = preparePrograms(t.testdir());
const addon = await buildPlanted(folder);

const skip = addon === null && 'no Rust toolchain: cargo is needed to plant a panic';

t.test('a panic is an error in JavaScript and never crosses into C', { skip }, async (t) => {
  const expected: [point: string, lines: string[]][] = [
    ['call', ['thrown internal-error', 'closed', 'alive']],
    ['function', ['thrown internal-error', 'alive']],
    ['socket', ['uncaught internal-error', 'closed', 'alive']],
    ['thread', ['uncaught internal-error', 'closed', 'alive']],
    ['clock', ['uncaught internal-error', 'closed', 'alive']],
    ['closed', ['uncaught internal-error', 'alive']],
    ['worker', ['terminated', 'alive']],
    ['end', ['ends']],
  ];
  const variables = { [ADDON_VARIABLE]: addon ?? '', RUST_BACKTRACE: '0' };
  for (const [point, lines] of expected) {
    const outcome = await runProgram(folder, 'panics', [point], [], variables);
    t.equal(outcome.code, 0, point);
    t.same(outcome.lines, lines);
    t.match(outcome.errors, /planted at/, 'the point was reached');
  }
});

t.test('the addon that ships has no way to plant a panic', async (t) => {
  const { loadBinding } = await import('../../src/addon/load-binding.js');
  t.notOk('plantPanic' in loadBinding());
});
