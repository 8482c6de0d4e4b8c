/**
 * Flows whose receiver has hardly any memory. How much it has is its own affair, so there is nothing to
 * compare with; but what is delivered must keep its promises, and nothing may be left in the end.
 */
import t from 'tap';
import { sequenceDistance } from '../../src/util/sequence.js';
import type { FlowConfig } from './config.js';
import { generate, type Play } from './generate.js';

const SEEDS = 150;

/** As little as a Protocol accepts: one message of the largest size. */
function starve({ limits }: FlowConfig): void {
  limits.messageBytes = Math.min(limits.messageBytes, 4096);
  limits.reassemblyBytes = Math.ceil(limits.messageBytes / 1024) * 1024;
}

/** What one (channel, mode) of a flow was given so far. */
interface Given {
  ids: Set<number>;
  last: number;
}

/** What is wrong with the messages of a flow, or ''. */
function complaint({ questions, config }: Play): string {
  const first = config.limits.firstMessageId;
  const lanes = new Map<string, Given>();
  for (const { answer, step } of questions) {
    for (const [, channel, mode, text] of answer.matchAll(/message (\d+) ([123]) (\d+)/g)) {
      const id = Number(text);
      const name = `${channel} ${mode}`;
      const lane = lanes.get(name) ?? { ids: new Set(), last: (first - 1) & 0xffff };
      lanes.set(name, lane);
      const ahead = sequenceDistance(id, lane.last);
      // Sequenced ids may come again after a jump around all of them.
      if (mode !== '1' && lane.ids.has(id)) return `step ${step}: ${name} gives ${id} twice`;
      if (mode === '3' && ahead !== 1)
        return `step ${step}: ${name} gives ${id} after ${lane.last}`;
      if (mode === '1' && ahead <= 0) return `step ${step}: ${name} goes back to ${id}`;
      lane.ids.add(id);
      lane.last = id;
    }
  }
  return '';
}

t.test('short of memory: nothing comes twice or out of order, and nothing is left', async (t) => {
  const met = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const play = generate(seed, starve);
    for (const { answer } of play.questions) {
      const verdict = answer.split(' ')[0] ?? '';
      met.set(verdict, (met.get(verdict) ?? 0) + 1);
      if (answer.startsWith('reassembly-full | message')) {
        met.set('taken', (met.get('taken') ?? 0) + 1);
      }
    }
    const wrong = play.thrown ?? complaint(play);
    if (wrong !== '') {
      t.fail(`seed ${seed}: ${wrong}`);
    }
  }
  t.ok((met.get('reassembly-full') ?? 0) > SEEDS, 'there was no memory often enough');
  t.ok((met.get('taken') ?? 0) > 0, 'and what needs none was taken from such packets');
});
