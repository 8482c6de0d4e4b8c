import { assert } from '../util/assert.js';
import { BlockPool } from '../util/block-pool.js';
import { BytePool } from '../util/byte-pool.js';
import { KeyTable } from '../util/key-table.js';
import * as limits from '../util/limits.js';
import { Prng } from '../util/prng.js';
import { RingQueue } from '../util/ring-queue.js';
import { SlabPool } from '../util/slab-pool.js';
import { TimerWheel } from '../util/timer-wheel.js';
import {
  CHANNEL_PRIORITY_DEFAULT,
  type ChannelOptions,
  ProtocolEvent,
  type ProtocolOptions,
} from './api.js';
import { DROP_REASON_COUNT, TALLY_NAMES } from './drop-reason.js';
import { ParsedFrames } from './frames.js';
import { PacketHeader } from './header.js';
import * as L from './layout.js';
import { Params } from './params.js';

/** Limits after defaults, and what they promise the peer. */
export interface CoreLimits {
  channels: number;
  messageBytes: number;
  unreliableMessageBytes: number;
  windowIds: number;
  receiveBudgetBytes: number;
  partials: number;
  reassemblyBytes: number;
  sendReliableBytes: number;
  sendUnreliableBytes: number;
  firstSequence: number;
  firstMessageId: number;
}

const EMPTY = new Uint8Array(0);

/**
 * All state of a Protocol. The functions of this folder take it as their first argument and a flow
 * as `f`, the index of its first word in `flows`.
 *
 *   flows ─ table ─┬▶ sendStreams ─ unsent ▶ messages ◀─ sent        (bytes in sendBytes)
 *     │            └▶ receiveStreams ─ buffer ─▶ held               (bytes in receiveBytes)
 *     └ sent ring ─▶ packets ─ references ─▶ messages
 */
export class Core {
  readonly flows: Int32Array;
  readonly sendStreams = new SlabPool(L.SEND_STREAM_STRIDE, 64);
  readonly receiveStreams = new SlabPool(L.RECEIVE_STREAM_STRIDE, 64);
  readonly messages = new SlabPool(L.MESSAGE_STRIDE, 256);
  readonly packets = new SlabPool(L.PACKET_STRIDE, 256);
  readonly references = new SlabPool(L.REFERENCE_STRIDE, 64);
  readonly held = new SlabPool(L.HELD_STRIDE, 64);
  readonly blocks = new BlockPool(4096);
  readonly sendBytes: BytePool;
  readonly receiveBytes = new BytePool(0x7fffffff);
  readonly keys = new KeyTable(4);
  readonly wheel: TimerWheel;
  readonly events = new RingQueue(L.EVENT_STRIDE, 7);
  readonly prng: Prng;
  readonly limits: CoreLimits;
  /** By channel: 0 is served first. */
  readonly channelPriority = new Uint8Array(256).fill(CHANNEL_PRIORITY_DEFAULT);
  readonly channelWeight = new Uint8Array(256).fill(1);
  readonly ownParams = new Params();
  readonly peerParams = new Params();
  readonly header = new PacketHeader();
  readonly frames = new ParsedFrames();
  readonly event = new ProtocolEvent(EMPTY);
  readonly counters = new Float64Array(DROP_REASON_COUNT);
  readonly tallies = new Float64Array(TALLY_NAMES.length);
  /** Reserved for reassembly and order by all flows. */
  reservedBytes = 0;
  /** Unit of the ack_delay that we report. */
  readonly ackDelayUnitUs: number;
  readonly maxAckDelayUs: number;
  /** Longest time between two turns that send. */
  readonly turnUs: number;
  /** The held message that the last event pointed at; freed by the next poll. */
  delivered = 0;
  /** The bytes that message events of the current packet point into. */
  packetBytes: Uint8Array = EMPTY;
  /** Where a message in pieces is put together for its event. */
  scratch: Uint8Array = EMPTY;
  /** What findDeadline found. */
  flowDeadlineUs = 0;
  dirtyHead = -1;
  dirtyTail = -1;

  constructor(options: ProtocolOptions) {
    const { maxFlows, maxAckDelayUs } = options;
    assert(Number.isInteger(maxFlows) && maxFlows > 0, 'maxFlows must be a positive integer');
    assert(
      maxAckDelayUs >= 1000 && maxAckDelayUs <= limits.ACK_DELAY_US_MAX,
      'maxAckDelayUs must be 1000…1000000',
    );
    this.flows = new Int32Array(maxFlows << L.FLOW_STRIDE_LOG2);
    this.maxAckDelayUs = maxAckDelayUs;
    this.turnUs = options.turnUs ?? 0;
    this.wheel = new TimerWheel(maxFlows, 0);
    this.prng = new Prng(options.seed);
    this.limits = resolveLimits(options);
    this.setChannels(options.channels ?? []);
    this.sendBytes = new BytePool(options.limits?.sendBytes ?? limits.SEND_BYTES_MAX);
    fillOwnParams(this.ownParams, options, this.limits);
    this.ackDelayUnitUs = this.ownParams.coarseAckDelay
      ? limits.ACK_DELAY_UNIT_COARSE_US
      : limits.ACK_DELAY_UNIT_US;
  }

  private setChannels(channels: readonly (ChannelOptions | undefined)[]): void {
    assert(channels.length <= this.limits.channels, 'more channels than limits.channels');
    for (let channel = 0; channel < channels.length; channel += 1) {
      const { priority = CHANNEL_PRIORITY_DEFAULT, weight = 1 } = channels[channel] ?? {};
      assert(
        Number.isInteger(priority) && priority >= 0 && priority < L.PRIORITIES,
        'channel priority must be 0…7',
      );
      assert(
        Number.isInteger(weight) && weight >= 1 && weight <= limits.CHANNEL_WEIGHT_MAX,
        'channel weight must be 1…255',
      );
      this.channelPriority[channel] = priority;
      this.channelWeight[channel] = weight;
    }
  }
}

function resolveLimits(options: ProtocolOptions): CoreLimits {
  const given = options.limits ?? {};
  const resolved: CoreLimits = {
    channels: given.channels ?? limits.CHANNELS_MAX,
    messageBytes: given.messageBytes ?? limits.RELIABLE_MESSAGE_BYTES_MAX,
    unreliableMessageBytes: given.unreliableMessageBytes ?? limits.UNRELIABLE_MESSAGE_BYTES_MAX,
    windowIds: given.windowIds ?? limits.MESSAGE_WINDOW,
    receiveBudgetBytes: given.receiveBudgetBytes ?? limits.RECEIVE_BUDGET_BYTES,
    partials: given.partials ?? limits.RELIABLE_PARTIALS_MAX,
    reassemblyBytes: given.reassemblyBytes ?? limits.REASSEMBLY_BYTES_MAX,
    sendReliableBytes: given.sendReliableBytes ?? limits.SEND_RELIABLE_BYTES_MAX,
    sendUnreliableBytes: given.sendUnreliableBytes ?? limits.SEND_UNRELIABLE_BYTES_MAX,
    firstSequence: given.firstSequence ?? 0,
    firstMessageId: given.firstMessageId ?? 0,
  };
  assert(resolved.channels >= 1 && resolved.channels <= 255, 'limits.channels must be 1…255');
  assert(
    resolved.messageBytes >= 1024 && resolved.messageBytes <= limits.RELIABLE_MESSAGE_BYTES_MAX,
    'limits.messageBytes must be 1024…262144',
  );
  assert(
    resolved.unreliableMessageBytes >= 1024 &&
      resolved.unreliableMessageBytes <= limits.UNRELIABLE_MESSAGE_BYTES_MAX,
    'limits.unreliableMessageBytes must be 1024…16384',
  );
  assert(
    resolved.windowIds >= 1 && resolved.windowIds <= limits.MESSAGE_WINDOW,
    'limits.windowIds must be 1…512',
  );
  assert(
    resolved.receiveBudgetBytes >= resolved.messageBytes &&
      resolved.receiveBudgetBytes <= 0x3fffffff,
    'limits.receiveBudgetBytes must be at least limits.messageBytes',
  );
  assert(
    resolved.reassemblyBytes >=
      Math.ceil(resolved.messageBytes / limits.FRAGMENT_BYTES) * limits.FRAGMENT_BYTES,
    'limits.reassemblyBytes must have room for one message',
  );
  assert(resolved.partials >= 1 && resolved.partials <= 255, 'limits.partials must be 1…255');
  return resolved;
}

function fillOwnParams(params: Params, options: ProtocolOptions, own: CoreLimits): void {
  params.channels = own.channels;
  params.partials = own.partials;
  params.windowIds = own.windowIds;
  params.maxAckDelayMs = Math.ceil(options.maxAckDelayUs / 1000);
  params.coarseAckDelay = options.maxAckDelayUs > 254 * limits.ACK_DELAY_UNIT_US;
  params.unreliableMessageBytes = own.unreliableMessageBytes;
  params.messageBytes = own.messageBytes;
  params.receiveBudgetBytes = own.receiveBudgetBytes;
  params.registryHash = options.registryHash | 0;
}
