import t from 'tap';
import * as layout from './layout.js';

/** Words that stand for more than one. */
const SIZES: Record<string, number> = {
  F_RX_BITS: 16,
  F_ACTIVE: layout.PRIORITIES,
};

/** Words of one state of a flow that lie where words of another lie; the second is only used in it. */
const SHARED = new Set([
  'F_OLDEST_SENT_US F_HELLO_US',
  'F_PROGRESS_US F_HELLO_COUNT',
  'F_HELLO_US F_OLDEST_SENT_US',
  'F_HELLO_COUNT F_PROGRESS_US',
  'F_QUEUE_BYTES F_HELLO_SENT_US',
  'F_HELLO_SENT_US F_QUEUE_BYTES',
]);

function wordsOf(prefix: string): [string, number][] {
  return Object.entries(layout).filter(([name]) => name.startsWith(prefix)) as [string, number][];
}

t.test('no two words of a record share a place, and all fit', async (t) => {
  const records: [string, number][] = [
    ['F_', layout.FLOW_STRIDE],
    ['S_', layout.SEND_STREAM_STRIDE],
    ['R_', layout.RECEIVE_STREAM_STRIDE],
    ['M_', layout.MESSAGE_STRIDE],
    ['P_', layout.PACKET_STRIDE],
    ['N_', layout.REFERENCE_STRIDE],
    ['H_', layout.HELD_STRIDE],
    ['E_', layout.EVENT_STRIDE],
    ['X_', layout.FRAME_STRIDE],
  ];
  for (const [prefix, stride] of records) {
    const owners = new Map<number, string>();
    for (const [name, first] of wordsOf(prefix)) {
      for (let word = first; word < first + (SIZES[name] ?? 1); word += 1) {
        const owner = owners.get(word);
        const isFree = owner === undefined || SHARED.has(`${name} ${owner}`);
        t.ok(isFree, `${name} is where ${owner} is`);
        t.ok(word < stride, `${name} is within the record`);
        owners.set(word, name);
      }
    }
    t.ok(owners.size > 0, `${prefix} has words`);
  }
});

t.test('no two flags of a flow or a message share a bit', async (t) => {
  for (const prefix of ['FLAG_', 'MESSAGE_']) {
    let seen = 0;
    for (const [name, flag] of wordsOf(prefix)) {
      if (name === 'MESSAGE_STRIDE') {
        continue;
      }
      t.ok(flag !== 0 && (flag & (flag - 1)) === 0, `${name} is one bit`);
      t.equal(seen & flag, 0, `${name} is a bit of its own`);
      seen |= flag;
    }
  }
});
