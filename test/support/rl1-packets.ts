/** Hand-made RL1 packets for tests of hostile input. */

export interface Ack {
  largest: number;
  delay?: number;
  run?: number;
  bitmap?: number[];
}

export function u16(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff];
}

/** A packet without a timestamp. */
export function packet(sequence: number, frames: number[], ack?: Ack): Uint8Array {
  const bitmap = ack?.bitmap ?? [];
  const block = ack ? [...u16(ack.largest), ack.delay ?? 0, ack.run ?? 0, ...bitmap] : [];
  const first = 0x40 | (ack ? 0x10 | bitmap.length : 0);
  return new Uint8Array([first, ...u16(sequence), ...block, ...frames]);
}

/** A message frame that ends the packet. */
export function lastMessage(mode: number, channel: number, id: number, data: number[]): number[] {
  return [0x80 | 0x20 | (mode << 3) | channel, ...(mode === 0 ? [] : u16(id)), ...data];
}

/** A fragment that ends the packet; full unless it is the last one, which has `tail` bytes. */
export function lastFragment(
  mode: number,
  channel: number,
  id: number,
  index: number,
  count: number,
  tail = 1,
): number[] {
  const length = index === count - 1 ? tail : 1024;
  const data = new Array<number>(length).fill(index & 0xff);
  return [0x80 | 0x40 | 0x20 | (mode << 3) | channel, ...u16(id), index, count - 1, ...data];
}

/** "GGRL1" and the default PARAMS. */
export function defaultParams(fromServer: boolean): Uint8Array {
  const bytes = [0x47, 0x47, 0x52, 0x4c, 0x31, 1, fromServer ? 1 : 0, 32, 8, 0];
  bytes.push(...u16(512), ...u16(25), ...u16(16384));
  bytes.push(0, 0, 4, 0, 0, 0, 8, 0, 1, 0, 0, 0);
  return new Uint8Array(bytes);
}
