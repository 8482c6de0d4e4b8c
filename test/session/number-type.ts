import type { MessageType, Mode } from '../../src/messages/types.js';

export interface Numbered {
  n: number;
  /** Bytes of padding, so that messages differ in size. */
  pad: number;
}

/** A registered type as small as can be: u32 n, u32 pad, `pad` bytes. */
export function numberType(name: string, id: number, mode: Mode, channel: number): MessageType {
  return {
    name,
    id,
    mode,
    channel,
    hash: id * 2654435761,
    maxBytes: 65_544,
    normalize: (value) => ({ n: (value as Numbered).n, pad: (value as Numbered).pad }),
    accepts: (value): value is unknown => typeof (value as Numbered)?.n === 'number',
    encode(value, out, offset, capacity) {
      const { n, pad } = value as Numbered;
      if (8 + pad > capacity) return -1;
      const view = new DataView(out.buffer, out.byteOffset);
      view.setUint32(offset, n, true);
      view.setUint32(offset + 4, pad, true);
      return 8 + pad;
    },
    verify: (_bytes, _offset, length) => length >= 8,
    view: (bytes, offset, length) => readNumbered(bytes, offset, length),
    read: (bytes, offset, length) => readNumbered(bytes, offset, length),
  };
}

function readNumbered(bytes: Uint8Array, offset: number, length: number): Numbered {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return { n: view.getUint32(offset, true), pad: length - 8 };
}
