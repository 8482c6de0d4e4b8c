/** Plays a trace through the jitter buffer as a game does: 60 pictures a second. */
import { JitterBuffer } from '../../time/jitter-buffer.js';
import { type JitterTrace, WAY_US } from './jitter-traces.js';

const FRAME_US = 16_667;

export interface Played {
  buffer: JitterBuffer;
  /** By picture: when, µs; how old what it showed was beyond the fastest way, µs. */
  atUs: number[];
  delayUs: number[];
  /** Whether the wanted tick was missing. */
  isMissing: boolean[];
}

export interface PlayOptions {
  /** What the receiver's clock shows at the start; wraps. */
  startUs?: number;
  /** The receiver's process stands still. */
  stall?: { fromUs: number; toUs: number };
}

/** Numbers of `trace` must begin at `firstTick`. */
export function playTrace(trace: JitterTrace, firstTick = 0, options: PlayOptions = {}): Played {
  const { startUs = 0, stall } = options;
  const buffer = new JitterBuffer({ tickHz: trace.tickHz });
  const played: Played = { buffer, atUs: [], delayUs: [], isMissing: [] };
  const tickUs = 1_000_000 / trace.tickHz;
  const { arrivalUs, ticks } = trace;
  let next = 0;
  const endUs = arrivalUs[arrivalUs.length - 1];
  for (let frameUs = 5_000; frameUs < endUs; frameUs += FRAME_US) {
    if (stall !== undefined && frameUs >= stall.fromUs && frameUs < stall.toUs) continue;
    for (; next < arrivalUs.length && arrivalUs[next] <= frameUs; next++) {
      buffer.put(ticks[next], (startUs + arrivalUs[next]) | 0);
    }
    if (!buffer.advance((startUs + frameUs) | 0)) continue;
    const shownUs = (((buffer.tick - firstTick) | 0) + buffer.fraction) * tickUs;
    played.atUs.push(frameUs);
    played.delayUs.push(frameUs - WAY_US - shownUs - buffer.missingUs);
    played.isMissing.push(buffer.isUnderrun);
  }
  buffer.checkInvariants();
  return played;
}
