/** Frames that are wrong in a way that a random change of bytes seldom finds. */
import type { Prng } from '../../src/util/prng.js';
import type { FlowConfig } from './config.js';
import { drawBytes, drawU16, pick } from './draw.js';
import { closeFrame, type FrameWriter, messageFrame, messageHead, u16 } from './encode.js';
import type { Lane } from './lane.js';

export interface Situation {
  readonly lanes: readonly Lane[];
  readonly config: FlowConfig;
}

export function hostileFrame(prng: Prng, situation: Situation): FrameWriter {
  const way = pick(prng, [
    strangeId,
    strangeId,
    strangeFragment,
    strangeFragment,
    contradiction,
    contradiction,
    strangeLength,
    strangeChannel,
    large,
    repetition,
    badClose,
    unknown,
  ]);
  return way(prng, situation);
}

/** Ids around everything that an id is compared with. */
function strangeId(prng: Prng, { lanes, config }: Situation): FrameWriter {
  const lane = pick(prng, lanes);
  const ahead = pick(prng, [
    -1,
    0,
    1,
    config.limits.windowIds - 1,
    config.limits.windowIds,
    config.limits.windowIds + 1,
    prng.below(600),
    32767,
    32768,
    32769,
    drawU16(prng),
  ]);
  return messageFrame({
    mode: prng.chance(1, 8) ? prng.below(4) : lane.mode,
    channel: lane.channel,
    id: (lane.oldestId + ahead) & 0xffff,
    fragment: null,
    data: drawBytes(prng, prng.below(40)),
  });
}

/** Counts, indexes and sizes, right and wrong; ids close to those in use. */
function strangeFragment(prng: Prng, { lanes }: Situation): FrameWriter {
  const lane = pick(prng, lanes);
  const count = pick(prng, [0, 1, 2, 2, 2, 3, 16, 17, 255, 256, 1 + prng.below(256)]);
  const index = pick(prng, [0, count - 1, count - 1, count, 255, prng.below(256)]);
  const size = pick(prng, [0, 1, 2, prng.below(60), 1023, 1024, 1024, 1025]);
  return messageFrame({
    mode: lane.mode,
    channel: lane.channel,
    id: (lane.oldestId + prng.below(12) - 2) & 0xffff,
    fragment: { index: index & 0xff, count },
    data: drawBytes(prng, index === count - 1 || prng.chance(1, 3) ? size : 1024),
  });
}

/** A message that is in pieces, said to have another number of them, or to be whole. */
function contradiction(prng: Prng, { lanes }: Situation): FrameWriter {
  const lane = pick(prng, lanes);
  const piece = prng.chance(1, 3) ? lane.old(prng) : lane.outbox[0];
  const id = piece?.fields.id ?? lane.oldestId;
  const had = piece?.fields.fragment?.count ?? 2;
  const count = Math.min(256, Math.max(2, had + prng.below(3) - 1));
  const whole = prng.chance(1, 3);
  return messageFrame({
    mode: lane.mode,
    channel: lane.channel,
    id,
    fragment: whole ? null : { index: count - 1, count },
    data: drawBytes(prng, 1 + prng.below(30)),
  });
}

/** Lengths that are not canonical, or reach beyond the packet. */
function strangeLength(prng: Prng, { lanes }: Situation): FrameWriter {
  const lane = pick(prng, lanes);
  const data = drawBytes(prng, prng.below(140));
  const fields = {
    mode: lane.mode,
    channel: lane.channel,
    id: lane.oldestId,
    fragment: null,
    data,
  };
  const length = pick(prng, [
    [data.length | 0x80, data.length >> 7],
    [data.length | 0x80, 0x80, 1],
    [0xff, 0x7f],
    [0x80, 0x00],
    [0x80],
    [data.length & 0x7f],
    [(data.length + 1) & 0x7f],
  ]);
  return () => [...messageHead(fields, false), ...length, ...data];
}

/** Channel bytes below 7, and channels beyond those taken. */
function strangeChannel(prng: Prng, { config }: Situation): FrameWriter {
  const channel = pick(prng, [0, 6, 7, config.limits.channels - 1, config.limits.channels, 255]);
  const mode = prng.below(4);
  const id = mode === 0 ? [] : u16(drawU16(prng));
  return (last) => [
    0x80 | (last ? 0x20 : 0) | (mode << 3) | 7,
    channel & 0xff,
    ...id,
    ...(last ? [] : [1]),
    9,
  ];
}

/** As large as fits a packet, which may be more than is taken. */
function large(prng: Prng, { lanes }: Situation): FrameWriter {
  const lane = pick(prng, lanes);
  const data = drawBytes(prng, 1000 + prng.below(180));
  return messageFrame({
    mode: lane.mode,
    channel: lane.channel,
    id: lane.oldestId,
    fragment: null,
    data,
  });
}

function repetition(prng: Prng, { lanes }: Situation): FrameWriter {
  return pick(prng, lanes).old(prng)?.frame ?? (() => [1]);
}

function badClose(prng: Prng): FrameWriter {
  const reason = pick(prng, [
    [0xc0, 0xaf],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe2, 0x82],
    [0xf0, 0x9f, 0x8e, 0xae],
    [0xc3],
    [...drawBytes(prng, prng.below(66))],
    [...new Uint8Array(62 + prng.below(5)).fill(0x61)],
  ]);
  return closeFrame(drawU16(prng), reason);
}

/** Control types that do not exist, and bodies that are cut. */
function unknown(prng: Prng): FrameWriter {
  const type = prng.chance(1, 2) ? prng.below(0x80) : pick(prng, [2, 3, 4, 8, 0x20, 0x3f, 0x40]);
  const body = [...drawBytes(prng, prng.below(14))];
  return () => [type, ...body];
}
