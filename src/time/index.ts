/** Time between two machines: playing out what comes unevenly. Without I/O, timers and clocks. */
export { JitterBuffer, type JitterBufferOptions, JitterBufferStats } from './jitter-buffer.js';
export { type PlayoutStats, type PlayoutView, SnapshotBuffer } from './snapshot-buffer.js';
