import {
  CLOSE_PACKETS_AT_ONCE,
  CLOSE_PACKETS_MAX,
  PARAMS_REPEAT_US,
  PARAMS_REPEAT_US_MAX,
  PARAMS_REPEATS_AT_ONCE,
} from '../util/limits.js';
import { timeReached } from '../util/time.js';
import { writeData } from './channel-send.js';
import type { Core } from './core.js';
import * as L from './layout.js';
import type { PacketWriter } from './packet-writer.js';
import { PARAMS_BYTES, writeParams } from './params.js';
import { checkWritable } from './pressure.js';
import { CARRY_ALL, CARRY_NOTHING, mayCarry, maySpare, rateOnSent } from './rate.js';
import { checkDrained } from './receive-ack.js';
import { writeRedundant, writeSpare } from './redundancy.js';
import { writeProbe } from './resend.js';
import { commitPacket, reserveCell } from './sent-packets.js';
import { armTimers } from './timers.js';

/** Writes the flow's next payload and answers its length, 0 when it has nothing to say. */
export function transmitFlow(
  core: Core,
  writer: PacketWriter,
  f: number,
  nowUs: number,
  bytes: Uint8Array,
  offset: number,
): number {
  const flows = core.flows;
  switch (flows[f + L.F_STATE]) {
    case L.STATE_HELLO:
      return transmitHello(core, f, nowUs, bytes, offset);
    case L.STATE_READY:
      if ((flows[f + L.F_FLAGS] & L.FLAG_ANSWER_PARAMS) !== 0) {
        flows[f + L.F_FLAGS] &= ~L.FLAG_ANSWER_PARAMS;
        flows[f + L.F_BYTES_OUT] += PARAMS_BYTES;
        flows[f + L.F_PACKETS_OUT] += 1;
        return writeParams(bytes, offset, core.ownParams, true);
      }
      return transmitData(core, writer, f, nowUs, bytes, offset);
    case L.STATE_CLOSING:
      return transmitClose(core, writer, f, nowUs, bytes, offset);
    default:
      return 0;
  }
}

/** True when the flow, having just sent a packet, has another one. */
export function hasWork(core: Core, f: number, nowUs: number): boolean {
  const flows = core.flows;
  if (flows[f + L.F_STATE] === L.STATE_CLOSING) {
    return (flows[f + L.F_FLAGS] & L.FLAG_CLOSE_NOW) !== 0;
  }
  if (flows[f + L.F_STATE] !== L.STATE_READY) {
    return false;
  }
  const urgent = L.FLAG_ANSWER_PARAMS | L.FLAG_ACK_NOW | L.FLAG_TIME_REQUEST | L.FLAG_TIME_RESPONSE;
  return (
    (flows[f + L.F_FLAGS] & urgent) !== 0 ||
    flows[f + L.F_PROBES] > 0 ||
    (flows[f + L.F_PRIORITIES] !== 0 && mayCarry(core, f, nowUs) !== CARRY_NOTHING)
  );
}

function transmitHello(
  core: Core,
  f: number,
  nowUs: number,
  bytes: Uint8Array,
  offset: number,
): number {
  const flows = core.flows;
  if (!timeReached(nowUs, flows[f + L.F_HELLO_US])) {
    return 0;
  }
  const count = flows[f + L.F_HELLO_COUNT];
  const doublings = count < PARAMS_REPEATS_AT_ONCE ? 0 : count - PARAMS_REPEATS_AT_ONCE + 1;
  const interval = PARAMS_REPEAT_US << (doublings > 4 ? 4 : doublings);
  flows[f + L.F_HELLO_COUNT] = count + 1;
  flows[f + L.F_HELLO_SENT_US] = nowUs;
  flows[f + L.F_HELLO_US] =
    (nowUs + (interval > PARAMS_REPEAT_US_MAX ? PARAMS_REPEAT_US_MAX : interval)) | 0;
  armTimers(core, f);
  flows[f + L.F_BYTES_OUT] += PARAMS_BYTES;
  flows[f + L.F_PACKETS_OUT] += 1;
  return writeParams(bytes, offset, core.ownParams, false);
}

function transmitClose(
  core: Core,
  writer: PacketWriter,
  f: number,
  nowUs: number,
  bytes: Uint8Array,
  offset: number,
): number {
  const flows = core.flows;
  if (
    (flows[f + L.F_FLAGS] & L.FLAG_CLOSE_NOW) === 0 ||
    flows[f + L.F_CLOSE_SENT] >= CLOSE_PACKETS_MAX
  ) {
    return 0;
  }
  flows[f + L.F_CLOSE_SENT] += 1;
  if (flows[f + L.F_CLOSE_SENT] >= CLOSE_PACKETS_AT_ONCE) {
    flows[f + L.F_FLAGS] &= ~L.FLAG_CLOSE_NOW;
  }
  writer.begin(core, f, nowUs, bytes, offset, offset + flows[f + L.F_MAX_PAYLOAD], false);
  const handle = flows[f + L.F_CLOSE_REASON] - 1;
  const size = flows[f + L.F_CLOSE_REASON_BYTES];
  if (handle >= 0) {
    const pool = core.sendBytes;
    writer.writeClose(flows[f + L.F_CLOSE_CODE], pool.page(handle), pool.offset(handle), size);
  } else {
    writer.writeClose(flows[f + L.F_CLOSE_CODE], bytes, offset, 0);
  }
  flows[f + L.F_NEXT_SEQUENCE] = (flows[f + L.F_NEXT_SEQUENCE] + 1) & 0xffff;
  const length = writer.finish();
  flows[f + L.F_BYTES_OUT] += length;
  flows[f + L.F_PACKETS_OUT] += 1;
  return length;
}

function transmitData(
  core: Core,
  writer: PacketWriter,
  f: number,
  nowUs: number,
  bytes: Uint8Array,
  offset: number,
): number {
  const flows = core.flows;
  const flags = flows[f + L.F_FLAGS];
  const probing = flows[f + L.F_PROBES] > 0;
  const hasData = flows[f + L.F_PRIORITIES] !== 0;
  const leave = probing ? CARRY_ALL : hasData ? mayCarry(core, f, nowUs) : CARRY_NOTHING;
  if (leave !== CARRY_NOTHING && (flags & L.FLAG_TIME_WANTED) !== 0) {
    flows[f + L.F_FLAGS] |= L.FLAG_TIME_REQUEST;
  }
  const due = L.FLAG_ACK_NOW | L.FLAG_TIME_REQUEST | L.FLAG_TIME_RESPONSE;
  const control = flows[f + L.F_FLAGS] & due;
  if (leave === CARRY_NOTHING && control === 0) {
    return 0;
  }
  reserveCell(core, f);
  const stamped = hasData || probing || (control & L.FLAG_TIME_REQUEST) !== 0;
  const limit = offset + flows[f + L.F_MAX_PAYLOAD];
  writer.begin(core, f, nowUs, bytes, offset, limit, stamped);
  if (control !== 0) {
    writeClockFrames(core, writer, f, nowUs);
  }
  if (leave !== CARRY_NOTHING) {
    if (probing) {
      writeProbe(core, writer, f);
    }
    if (hasData && flows[f + L.F_REDUNDANT_HEAD] !== 0) {
      writeRedundant(core, writer, f, nowUs);
    }
    const spare = flows[f + L.F_SPARE_COUNT];
    writeData(core, writer, f, nowUs, leave === CARRY_ALL);
    const hasLeave = flows[f + L.F_TOKENS] > 0;
    if (spare > 0 && hasLeave && (writer.packet !== 0 || (flags & L.FLAG_ACK_NOW) !== 0)) {
      writeSpare(core, writer, f, spare);
    }
    if (probing) {
      flows[f + L.F_PROBES] -= 1;
      if (writer.packet === 0) {
        writer.writePing(core);
      }
    }
    checkDrained(core, f);
    checkWritable(core, f);
  }
  if (writer.frames === 0 && (flags & L.FLAG_ACK_NOW) === 0) {
    return 0;
  }
  if (!hasData && flows[f + L.F_SPARE_COUNT] > 0 && maySpare(core, f, nowUs)) {
    writeSpare(core, writer, f, flows[f + L.F_SPARE_COUNT]);
  }
  if (writer.packet !== 0 && flows[f + L.F_SKIP_IN] === 1 && writer.room > 5) {
    writer.writeGrease(core);
  }
  return commit(core, writer, f, nowUs, probing);
}

function commit(
  core: Core,
  writer: PacketWriter,
  f: number,
  nowUs: number,
  isProbe: boolean,
): number {
  const flows = core.flows;
  const length = writer.finish();
  if (writer.packet === 0) {
    flows[f + L.F_ACKS_OUT] += 1;
  }
  rateOnSent(core, f, writer.packet, length, isProbe);
  commitPacket(core, f, nowUs, writer.packet, writer.ackLargest);
  flows[f + L.F_FLAGS] &= ~(L.FLAG_ACK_NOW | L.FLAG_ACK_TIMER);
  flows[f + L.F_RX_UNACKED] = 0;
  flows[f + L.F_PACKETS_OUT] += 1;
  flows[f + L.F_BYTES_OUT] += length;
  return length;
}

function writeClockFrames(core: Core, writer: PacketWriter, f: number, nowUs: number): void {
  const flows = core.flows;
  const flags = flows[f + L.F_FLAGS];
  if ((flags & L.FLAG_TIME_RESPONSE) !== 0) {
    flows[f + L.F_FLAGS] &= ~L.FLAG_TIME_RESPONSE;
    writer.writeTimeResponse(flows[f + L.F_TIME_REQUEST_T0], flows[f + L.F_TIME_REQUEST_T1], nowUs);
  }
  if ((flags & L.FLAG_TIME_REQUEST) !== 0) {
    flows[f + L.F_FLAGS] &= ~(L.FLAG_TIME_REQUEST | L.FLAG_TIME_WANTED);
    flows[f + L.F_FLAGS] |= L.FLAG_TIME_OUTSTANDING;
    flows[f + L.F_CLOCK_REQUEST_US] = nowUs;
    writer.writeTimeRequest(core, nowUs);
  }
}
