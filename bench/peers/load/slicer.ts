/** Messages of a fixed length out of a stream of bytes. */
import type { Heard } from './engine.js';

export function slicer(length: number, heard: Heard): (data: Uint8Array) => void {
  let rest: Uint8Array = new Uint8Array(0);
  return (data) => {
    const all = rest.length === 0 ? data : Buffer.concat([rest, data]);
    let at = 0;
    for (; at + length <= all.length; at += length) heard(all.subarray(at, at + length));
    rest = all.subarray(at);
  };
}
