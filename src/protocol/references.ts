import type { Core } from './core.js';
import * as L from './layout.js';

/**
 * Lists of references to messages or fragments. Two neighbouring words hold the head and the tail;
 * they may stand in a flow or in a stream, so a list is named by its words and the place of its
 * head.
 */
export function pushReference(
  core: Core,
  list: Int32Array,
  head: number,
  message: number,
  generation: number,
  fragment: number,
): void {
  const node = core.references.alloc();
  const words = core.references.words;
  words[node + L.N_NEXT] = 0;
  words[node + L.N_MESSAGE] = message;
  words[node + L.N_GENERATION] = generation;
  words[node + L.N_FRAGMENT] = fragment;
  const tail = list[head + 1];
  if (tail === 0) {
    list[head] = node;
  } else {
    words[tail + L.N_NEXT] = node;
  }
  list[head + 1] = node;
}

/** Removes the first node of such a list. */
export function shiftReference(core: Core, list: Int32Array, head: number): void {
  const node = list[head];
  const next = core.references.words[node + L.N_NEXT];
  list[head] = next;
  if (next === 0) {
    list[head + 1] = 0;
  }
  core.references.free(node);
}
