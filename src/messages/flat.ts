// What generated FlatBuffers code stands on: one DataView per byte array, the checks of untrusted
// bytes, and strings. Positions are absolute in the byte array; alignment counts from `base`, the
// first byte of the message body.
//
//   body:  u32 → root │ vtable: u16 size, u16 table size, u16 slot… │ table: i32 → vtable, fields…
//          then vectors (u32 count, elements), strings (u32 bytes, UTF-8, 0) and child tables

import { isUtf8 } from '../util/utf8.js';
import { isWellFormed, readUtf8, utf8Length, writeUtf8 } from './text.js';

/** Tables may nest this deep, on the wire and in values. */
export const DEPTH_MAX = 32;
/**
 * A body may point to one table, vector or string more than once. What it expands to is limited to
 * this many times its length, so that a small message cannot cost much work or memory.
 */
const EXPANSION_MAX = 8;

const views = new WeakMap<Uint8Array, DataView>();
let lastBytes = new Uint8Array(0);
let lastView = new DataView(lastBytes.buffer);
/** The one before: a message is read from one array, and its answer written to another. */
let otherBytes = lastBytes;
let otherView = lastView;
/** A view of no bytes, for accessors not set yet. */
export const EMPTY_VIEW: DataView = lastView;

let budget = 0;

/** The DataView over exactly these bytes; made once per array. */
export function dataViewOf(bytes: Uint8Array): DataView {
  if (bytes === lastBytes) return lastView;
  return bytes === otherBytes ? otherView : findDataView(bytes);
}

function findDataView(bytes: Uint8Array): DataView {
  let view = views.get(bytes);
  if (view === undefined) {
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    views.set(bytes, view);
  }
  otherBytes = lastBytes;
  otherView = lastView;
  lastBytes = bytes as Uint8Array<ArrayBuffer>;
  lastView = view as DataView<ArrayBuffer>;
  return view;
}

/** `pos` moved up to a multiple of `align` (a power of two) from `base`. */
export function alignUp(base: number, pos: number, align: number): number {
  return pos + ((base - pos) & (align - 1));
}

/** Zeroes [from, to): padding never carries what the buffer held before. */
export function zero(dv: DataView, from: number, to: number): void {
  for (let at = from; at < to; at++) dv.setUint8(at, 0);
}

/** Starts a check of `length` bytes. @returns the root table's position, or -1 */
export function rootAt(dv: DataView, base: number, length: number): number {
  budget = EXPANSION_MAX * length;
  if (length < 8 || base < 0 || base + length > dv.byteLength) return -1;
  const root = dv.getUint32(base, true);
  return root >= 4 && root <= length - 4 ? base + root : -1;
}

/** Checks the head of a table at `pos`. @returns its vtable's position, or -1 */
export function tableAt(dv: DataView, base: number, pos: number, end: number): number {
  if (((pos - base) & 3) !== 0 || pos + 4 > end) return -1;
  const vtable = pos - dv.getInt32(pos, true);
  if (vtable < base || vtable + 4 > end || ((vtable - base) & 1) !== 0) return -1;
  const vtableSize = dv.getUint16(vtable, true);
  if (vtableSize < 4 || (vtableSize & 1) !== 0 || vtable + vtableSize > end) return -1;
  const tableSize = dv.getUint16(vtable + 2, true);
  if (tableSize < 4 || pos + tableSize > end) return -1;
  budget -= tableSize;
  return budget < 0 ? -1 : vtable;
}

/** A field of a checked table. @returns its position, 0 when absent, -1 when out of bounds */
export function fieldAt(
  dv: DataView,
  base: number,
  pos: number,
  vtable: number,
  slot: number,
  size: number,
  align: number,
): number {
  if (slot >= dv.getUint16(vtable, true)) return 0;
  const offset = dv.getUint16(vtable + slot, true);
  if (offset === 0) return 0;
  if (offset < 4 || offset + size > dv.getUint16(vtable + 2, true)) return -1;
  return ((pos + offset - base) & (align - 1)) === 0 ? pos + offset : -1;
}

/** Follows the offset at `at` to a table. @returns its position (the table is not checked), or -1 */
export function childAt(dv: DataView, at: number, end: number): number {
  const offset = dv.getUint32(at, true);
  return offset >= 4 && offset <= end - at - 4 ? at + offset : -1;
}

/** Checks the vector that `at` points to. @returns the position of its first element, or -1 */
export function vectorAt(
  dv: DataView,
  base: number,
  at: number,
  end: number,
  size: number,
  align: number,
  countMax: number,
): number {
  const vector = childAt(dv, at, end);
  if (vector < 0 || ((vector - base) & 3) !== 0) return -1;
  const count = dv.getUint32(vector, true);
  const start = vector + 4;
  if (count > countMax || count * size > end - start) return -1;
  if (((start - base) & (align - 1)) !== 0) return -1;
  budget -= 4 + count * size;
  return budget < 0 ? -1 : start;
}

/** Checks the string that `at` points to: bounds, limit, UTF-8 and the zero behind it. */
export function isString(
  dv: DataView,
  base: number,
  at: number,
  end: number,
  bytesMax: number,
): boolean {
  const start = vectorAt(dv, base, at, end, 1, 1, bytesMax);
  if (start < 0) return false;
  const stop = start + dv.getUint32(start - 4, true);
  return stop < end && dv.getUint8(stop) === 0 && isUtf8(bytesOf(dv), start, stop - start);
}

/** Offset of a field in a verified table, 0 when absent. */
export function slotOf(dv: DataView, vtable: number, slot: number): number {
  return slot < dv.getUint16(vtable, true) ? dv.getUint16(vtable + slot, true) : 0;
}

/** Position of a field in a verified table, 0 when absent. */
export function present(pos: number, offset: number): number {
  return offset === 0 ? 0 : pos + offset;
}

/** The string that `at` points to, from verified bytes. */
export function stringAt(dv: DataView, at: number): string {
  const start = at + dv.getUint32(at, true) + 4;
  const bytes = bytesOf(dv);
  return readUtf8(bytes, start, start + dv.getUint32(start - 4, true));
}

/** Where vector element `index` begins; the guard is for handlers, not for the wire. */
export function elementAt(start: number, count: number, index: number, size: number): number {
  if (!(index >= 0 && index < count)) throw new RangeError(`index ${index} of ${count} elements`);
  return start + index * size;
}

/**
 * Writes a string block at or behind `pos` and its offset at `at`.
 * @returns the position behind it, or -1 when it would pass `end`
 */
export function writeString(
  dv: DataView,
  base: number,
  at: number,
  pos: number,
  end: number,
  text: string,
): number {
  const start = alignUp(base, pos, 4);
  if (start + 5 > end) return -1;
  const stop = writeUtf8(dv, start + 4, end - 1, text);
  if (stop < 0) return -1;
  zero(dv, pos, start);
  dv.setUint32(at, start - at, true);
  dv.setUint32(start, stop - start - 4, true);
  dv.setUint8(stop, 0);
  return stop + 1;
}

/** True when `encode` may take the string: well-formed, at most `bytesMax` bytes of UTF-8. */
export function acceptsString(value: unknown, bytesMax: number): boolean {
  if (typeof value !== 'string' || value.length > bytesMax) return false;
  for (let i = 0; i < value.length; i++) {
    if (value.charCodeAt(i) >= 0x80) return utf8Length(value) <= bytesMax && isWellFormed(value);
  }
  return true;
}

function bytesOf(dv: DataView): Uint8Array {
  if (dv === lastView) return lastBytes;
  if (dv === otherView) return otherBytes;
  return new Uint8Array(dv.buffer, dv.byteOffset, dv.byteLength);
}
