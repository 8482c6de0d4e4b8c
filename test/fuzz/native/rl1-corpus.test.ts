/** What libFuzzer found in the Rust receiver, played to src/protocol beside it. */
import t from 'tap';
import { compare, describe } from '../compare.js';
import { buildDecoder, Decoder } from '../decoder.js';
import { rl1Corpus } from './rl1-corpus.js';

t.test('both receivers agree about the corpus of coverage-guided fuzzing', async (t) => {
  const decoder = new Decoder(await buildDecoder());
  t.teardown(() => decoder.close());
  const corpus = rl1Corpus();
  const met = new Set<string>();
  for (const { file, play } of corpus) {
    const found = await compare(decoder, play);
    t.equal(found, null, `${file}: ${found === null ? '' : describe(found)}`);
    for (const { answer } of play.questions) met.add(answer.split(' | ')[0] ?? '');
  }
  const wanted = ['accept', 'frame-truncated', 'frame-non-canonical', 'fragment-malformed'];
  t.same(
    wanted.filter((name) => !met.has(name)),
    [],
  );
});
