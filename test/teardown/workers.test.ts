import t, { type Test } from 'tap';
import { preparePrograms, runProgram } from './run-program.js';

const folder = preparePrograms(t.testdir());

for (const options of ['{}', '{"threads":2}']) {
  const run = async (t: Test, program: string, lines: string[]) => {
    const outcome = await runProgram(folder, 'workers', [program, options]);
    t.equal(outcome.code, 0, outcome.errors);
    t.same(outcome.lines, lines);
  };

  t.test(`workers that are busy with a batch can be terminated: ${options}`, (t) =>
    run(t, 'terminate', ['terminated']),
  );

  t.test(`workers that end by themselves close what they held: ${options}`, (t) =>
    run(t, 'ends', ['unref 0', 'exit 0', 'in the middle of a batch', 'throw 1']),
  );

  t.test(`two workers and the main thread use the addon at once: ${options}`, (t) =>
    run(t, 'two', ['both']),
  );

  t.test(`a process ends while its workers are busy: ${options}`, (t) =>
    run(t, 'exit', ['exiting']),
  );
}
