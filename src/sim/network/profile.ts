/**
 * What a network does to packets, as numbers. A path has two links, up (client → server) and down.
 * Delays are one way. Chances are ratios per packet.
 */
import { NEVER, type Ratio, ratio } from '../random.js';

/**
 * Gilbert–Elliott: two states with a loss of their own, and the chances to change after a packet
 * (E. N. Gilbert 1960, E. O. Elliott 1963; Haßlinger and Hohlfeld 2008 for packet loss).
 */
export interface Burst {
  readonly toBad: Ratio;
  readonly toGood: Ratio;
  readonly lossInBad: Ratio;
  /** A burst ends after this many packets in any case; 0: whenever it ends by itself. */
  readonly packetsMax: number;
}

export interface LinkProfile {
  readonly delayUs: number;
  /** Added to the delay: the mean of two draws from 0 to this (triangular). Keeps the order. */
  readonly jitterUs: number;
  readonly loss: Ratio;
  readonly burst: Burst | null;
  /** A reordered packet is late by up to `reorderUs` and others may pass it. */
  readonly reorder: Ratio;
  readonly reorderUs: number;
  readonly duplicate: Ratio;
  /** One bit of the datagram is flipped. */
  readonly corrupt: Ratio;
  /** 0: no limit. */
  readonly rateBitsPerS: number;
  /** The queue before the limited link, by whichever bound is reached first; 0: no bound. */
  readonly queuePackets: number;
  readonly queueBytes: number;
  /** Now and then the link holds everything back (radio scans, handovers); 0: never. */
  readonly pauseEveryUs: number;
  readonly pauseUs: number;
}

export interface PathProfile {
  readonly name: string;
  /** Where the numbers come from. */
  readonly source: string;
  readonly up: LinkProfile;
  readonly down: LinkProfile;
}

/** Nothing happens but time. */
export const CLEAR: LinkProfile = {
  delayUs: 20_000,
  jitterUs: 0,
  loss: NEVER,
  burst: null,
  reorder: NEVER,
  reorderUs: 0,
  duplicate: NEVER,
  corrupt: NEVER,
  rateBitsPerS: 0,
  queuePackets: 0,
  queueBytes: 0,
  pauseEveryUs: 0,
  pauseUs: 0,
};

/** Bursts of `meanPackets` on average that lose `n` of `of` packets over all. */
export function bursts(n: number, of: number, meanPackets: number, packetsMax = 0): Burst {
  return {
    // In the long run bad : good is toBad : toGood, so toBad = toGood · loss / (1 − loss).
    toBad: ratio(n, meanPackets * (of - n)),
    toGood: ratio(1, meanPackets),
    lossInBad: ratio(1, 1),
    packetsMax,
  };
}

function link(changes: Partial<LinkProfile>): LinkProfile {
  return { ...CLEAR, ...changes };
}

/** The same both ways, over a clear link. */
export function pathOf(changes: Partial<LinkProfile>, name = 'custom'): PathProfile {
  const both = link(changes);
  return { name, source: 'given', up: both, down: both };
}

const MBIT = 1_000_000;

export const PROFILES: Readonly<Record<string, PathProfile>> = {
  lan: {
    name: 'lan',
    source: 'switched gigabit Ethernet: a ping of 0.3 ms, a switch port that buffers 512 packets',
    up: link({ delayUs: 150, jitterUs: 100, rateBitsPerS: 1000 * MBIT, queuePackets: 512 }),
    down: link({ delayUs: 150, jitterUs: 100, rateBitsPerS: 1000 * MBIT, queuePackets: 512 }),
  },
  home: {
    name: 'home',
    source:
      'median ping of wired last miles 21 ms (Catchpoint, Performance Calendar 2013); 0.1 % loss; ' +
      'cable or DSL rates with modem buffers of about 80 ms',
    up: link({
      delayUs: 10_500,
      jitterUs: 2_000,
      loss: ratio(1, 1000),
      rateBitsPerS: 10 * MBIT,
      queueBytes: 100_000,
    }),
    down: link({
      delayUs: 10_500,
      jitterUs: 2_000,
      loss: ratio(1, 1000),
      rateBitsPerS: 100 * MBIT,
      queueBytes: 1_000_000,
    }),
  },
  wifi: {
    name: 'wifi',
    source:
      'home behind a shared radio: 1 % of packets lost in bursts of 3 after its own retries, air ' +
      'time that others take (jitter to 15 ms), off-channel scans of up to 60 ms',
    up: wifi(20 * MBIT),
    down: wifi(40 * MBIT),
  },
  '4g': {
    name: '4g',
    source:
      'median ping 55 ms with a deviation of 132 ms (Catchpoint, Performance Calendar 2013); the ' +
      'radio link repeats what it loses (3GPP TS 36.322, acknowledged mode), so trouble comes as ' +
      'delay: pauses of up to 150 ms for handovers, a deep queue, and 0.2 % loss',
    up: cellular(10 * MBIT),
    down: cellular(30 * MBIT),
  },
  congested: {
    name: 'congested',
    source:
      'somebody else uploads over the same 2 Mbit/s: 500 ms of queue (bufferbloat as in RFC 8290 ' +
      '§1) and 2 % loss in short bursts where it overflows',
    up: congested(1 * MBIT),
    down: congested(2 * MBIT),
  },
  satellite: {
    name: 'satellite',
    source:
      'geostationary: 279 ms ground to ground at the edge of the view (RFC 2488 §2) and the ' +
      'networks at both ends; 0.5 % loss',
    up: satellite(2 * MBIT),
    down: satellite(20 * MBIT),
  },
};

function wifi(rateBitsPerS: number): LinkProfile {
  return link({
    delayUs: 12_000,
    jitterUs: 15_000,
    burst: bursts(1, 100, 3),
    reorder: ratio(2, 1000),
    reorderUs: 5_000,
    duplicate: ratio(1, 2000),
    rateBitsPerS,
    queueBytes: 250_000,
    pauseEveryUs: 5_000_000,
    pauseUs: 60_000,
  });
}

function cellular(rateBitsPerS: number): LinkProfile {
  return link({
    delayUs: 22_000,
    jitterUs: 25_000,
    loss: ratio(2, 1000),
    rateBitsPerS,
    queueBytes: 500_000,
    pauseEveryUs: 8_000_000,
    pauseUs: 150_000,
  });
}

function congested(rateBitsPerS: number): LinkProfile {
  return link({
    delayUs: 20_000,
    jitterUs: 10_000,
    burst: bursts(2, 100, 3),
    rateBitsPerS,
    // Half a second of the link.
    queueBytes: rateBitsPerS / 16,
  });
}

function satellite(rateBitsPerS: number): LinkProfile {
  return link({
    delayUs: 300_000,
    jitterUs: 5_000,
    loss: ratio(5, 1000),
    rateBitsPerS,
    queuePackets: 256,
  });
}

/** The path without its faults: delay and rate stay, nothing is lost or moved. */
export function calm(path: PathProfile): PathProfile {
  return { ...path, name: `${path.name} (calm)`, up: calmLink(path.up), down: calmLink(path.down) };
}

function calmLink(profile: LinkProfile): LinkProfile {
  return {
    ...CLEAR,
    delayUs: profile.delayUs,
    rateBitsPerS: profile.rateBitsPerS,
    queueBytes: profile.queueBytes,
    queuePackets: profile.queuePackets,
  };
}

/** The least round trip of the path, without queues, in µs. */
export function roundTripUs(path: PathProfile): number {
  return path.up.delayUs + path.down.delayUs;
}
