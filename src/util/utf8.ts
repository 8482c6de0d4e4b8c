/**
 * True when the bytes are well-formed UTF-8 (Unicode 15, table 3-7): no overlong, no surrogates.
 */
export function isUtf8(bytes: Uint8Array, offset: number, length: number): boolean {
  const end = offset + length;
  let at = offset;
  while (at < end) {
    const lead = bytes[at];
    at += 1;
    if (lead < 0x80) {
      continue;
    }
    const trail = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4 || at + trail > end) {
      return false;
    }
    const second = bytes[at];
    const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) {
      return false;
    }
    for (let index = 1; index < trail; index += 1) {
      if ((bytes[at + index] & 0xc0) !== 0x80) {
        return false;
      }
    }
    at += trail;
  }
  return true;
}
