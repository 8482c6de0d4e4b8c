import t from 'tap';
import { UsageError } from '../command-line.js';
import { readOptions } from './options.js';

t.test('each way to call the simulator', async (t) => {
  t.same(readOptions(['--seed=7']), {
    kind: 'seed',
    seed: 7,
    level: 'core',
    profile: null,
    trace: false,
  });
  t.match(readOptions(['--seed', '7', '--level', 'native', '--trace', '--profile', 'lan']), {
    level: 'native',
    profile: 'lan',
    trace: true,
  });
  t.match(readOptions(['--seeds=1..9', '--workers=2', '--no-record']), {
    kind: 'farm',
    first: 1,
    last: 9,
    levels: ['core', 'native'],
    workers: 2,
    record: false,
  });
  t.match(readOptions(['--seeds=1..9', '--level=core']), { levels: ['core'], record: true });
  t.same(readOptions(['--scenarios']), {
    kind: 'scenarios',
    ids: [],
    markdown: false,
    update: false,
  });
  t.match(readOptions(['--scenarios', '--update']), { kind: 'scenarios', update: true });
  t.same(readOptions(['--scenarios=T05', '--other-seeds=20']), {
    kind: 'other-seeds',
    ids: ['T05'],
    count: 20,
  });
  t.same(readOptions(['--plots=docs/plots']), { kind: 'plots', folder: 'docs/plots' });
  t.match(readOptions(['--scenarios=T05,T07', '--markdown']), {
    ids: ['T05', 'T07'],
    markdown: true,
  });
  t.match(readOptions(['--sweep']), { kind: 'sweep', seeds: 1, isQuick: false });
  t.same(readOptions(['--sweep=3', '--quick', '--workers=2']), {
    kind: 'sweep',
    seeds: 3,
    isQuick: true,
    workers: 2,
  });
  t.same(readOptions(['--speed=5']), { kind: 'speed', seconds: 5 });
});

t.test('what makes no sense is refused with one line', async (t) => {
  for (const args of [
    [],
    ['--seed=1', '--seeds=1..2'],
    ['--seed=x'],
    ['--seed=-1'],
    ['--seeds=5..2'],
    ['--seeds=5'],
    ['--seed=1', '--profile=moon'],
    ['--seed=1', '--level=both'],
    ['--seed=1', 'more'],
    ['--workers=0', '--seeds=1..2'],
    ['--scenarios=T05', '--update'],
    ['--scenarios', '--other-seeds=0'],
    ['--sweep=0'],
    ['--sweep', '--speed=5'],
  ]) {
    try {
      readOptions(args);
      t.fail(args.join(' '));
    } catch (error) {
      t.ok(error instanceof UsageError && /^[^\n]+$/.test(error.message), args.join(' '));
    }
  }
});
