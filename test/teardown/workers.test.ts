import t from 'tap';
import { preparePrograms, runProgram } from './run-program.js';

const folder = preparePrograms(t.testdir());

t.test('workers that are busy with a batch can be terminated', async (t) => {
  const outcome = await runProgram(folder, 'workers', ['terminate']);
  t.equal(outcome.code, 0, outcome.errors);
  t.same(outcome.lines, ['terminated']);
});

t.test('two workers and the main thread use the addon at once', async (t) => {
  const outcome = await runProgram(folder, 'workers', ['two']);
  t.equal(outcome.code, 0, outcome.errors);
  t.same(outcome.lines, ['both']);
});

t.test('a process ends while its workers are busy', async (t) => {
  const outcome = await runProgram(folder, 'workers', ['exit']);
  t.equal(outcome.code, 0, outcome.errors);
  t.same(outcome.lines, ['exiting']);
});
