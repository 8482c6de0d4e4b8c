/** Words up to which a pool doubles; beyond, a quarter more keeps the spare room small. */
const DOUBLE_WORDS = 64 * 1024;

/** A larger copy of `words`, for at least `neededWords`. */
export function growWords(words: Int32Array, neededWords: number): Int32Array {
  const more = words.length < DOUBLE_WORDS ? words.length : words.length >> 2;
  const grown = new Int32Array(Math.max(words.length + more, neededWords));
  grown.set(words);
  return grown;
}
