// UTF-8 without Node or DOM types. Strings are rare in game messages: writing is a plain loop
// that allocates nothing; only reading makes a string.

interface Decoder {
  decode(bytes: Uint8Array): string;
}
/** The global of the Encoding standard, present in Node and every browser. */
declare const TextDecoder: new (
  label: 'utf-8',
  options: { fatal: boolean; ignoreBOM: boolean },
) => Decoder;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Below this, joining char codes beats a call of TextDecoder. */
const SHORT_BYTES = 24;

/** Bytes of `text` in UTF-8; an unpaired surrogate counts as U+FFFD (3). */
export function utf8Length(text: string): number {
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) length += 1;
    else if (code < 0x800) length += 2;
    else if (isPair(text, i)) {
      length += 4;
      i++;
    } else length += 3;
  }
  return length;
}

/** False when the string holds an unpaired surrogate, which UTF-8 cannot carry. */
export function isWellFormed(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xf800) !== 0xd800) continue;
    if (!isPair(text, i)) return false;
    i++;
  }
  return true;
}

/** Unpaired surrogates become U+FFFD, as every UTF-8 encoder makes them. */
export function toWellFormed(text: string): string {
  if (isWellFormed(text)) return text;
  let fixed = '';
  for (let i = 0; i < text.length; i++) {
    const surrogate = (text.charCodeAt(i) & 0xf800) === 0xd800;
    if (surrogate && isPair(text, i)) fixed += text.charAt(i) + text.charAt(++i);
    else fixed += surrogate ? '\ufffd' : text.charAt(i);
  }
  return fixed;
}

/** Writes `text` at `pos`. @returns the position behind it, or -1 when it would pass `end` */
export function writeUtf8(dv: DataView, pos: number, end: number, text: string): number {
  let at = pos;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (at + 4 > end && at + utf8Length(text.slice(i)) > end) return -1;
    if (code < 0x80) dv.setUint8(at++, code);
    else if (code < 0x800) {
      dv.setUint8(at++, 0xc0 | (code >> 6));
      dv.setUint8(at++, 0x80 | (code & 0x3f));
    } else if (isPair(text, i)) {
      const point = 0x10000 + ((code & 0x3ff) << 10) + (text.charCodeAt(++i) & 0x3ff);
      dv.setUint8(at++, 0xf0 | (point >> 18));
      dv.setUint8(at++, 0x80 | ((point >> 12) & 0x3f));
      dv.setUint8(at++, 0x80 | ((point >> 6) & 0x3f));
      dv.setUint8(at++, 0x80 | (point & 0x3f));
    } else {
      const unit = (code & 0xf800) === 0xd800 ? 0xfffd : code;
      dv.setUint8(at++, 0xe0 | (unit >> 12));
      dv.setUint8(at++, 0x80 | ((unit >> 6) & 0x3f));
      dv.setUint8(at++, 0x80 | (unit & 0x3f));
    }
  }
  return at;
}

/** @throws TypeError on malformed UTF-8 that is not short; verified bytes never are */
export function readUtf8(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT_BYTES) return decoder.decode(bytes.subarray(start, end));
  let text = '';
  for (let at = start; at < end; at++) {
    if (bytes[at] >= 0x80) return decoder.decode(bytes.subarray(start, end));
    text += String.fromCharCode(bytes[at]);
  }
  return text;
}

/** A high surrogate at `i` followed by a low one. */
function isPair(text: string, i: number): boolean {
  return (
    (text.charCodeAt(i) & 0xfc00) === 0xd800 &&
    i + 1 < text.length &&
    (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00
  );
}
