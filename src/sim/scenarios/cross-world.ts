/** A core world in which a CUBIC flow shares the way down to client 0. */
import type { CoreConfig } from '../core/core-config.js';
import { CoreWorld } from '../core/core-world.js';
import { CubicWindow } from '../network/cubic.js';
import { FATE_CARRIED } from '../network/link.js';
import { seedOf, variedCore, variedProtocol } from './variation.js';

const EVENT_CROSS = 100;
const ACKED = 0;
const LOST = 1;
/** An Ethernet frame of TCP, without what the link counts for UDP. */
const SEGMENT_BYTES = 1460;
const START_US = 1_000_000;

export class CrossWorld extends CoreWorld {
  readonly cubic = new CubicWindow();
  /** Bytes acknowledged to it from `countFromUs` on. */
  crossBytes = 0;
  countFromUs = 0;
  private roundTripUs: number;
  /** When each segment was sent, by number. */
  private readonly sentUs: number[] = [];

  constructor(config: CoreConfig) {
    super(variedCore({ ...config, seed: seedOf(config.seed) }), null, variedProtocol());
    const { up, down } = this.paths[0];
    this.roundTripUs = up.delayUs + down.delayUs;
    this.agenda.push(START_US, EVENT_CROSS, LOST, -1);
  }

  protected override handle(kind: number, a: number, b: number): void {
    if (kind !== EVENT_CROSS) {
      super.handle(kind, a, b);
      return;
    }
    const { cubic, nowUs } = this;
    if (b >= 0 && a === ACKED) {
      this.roundTripUs = nowUs - this.sentUs[b];
      cubic.acked(nowUs, this.roundTripUs);
      if (nowUs >= this.countFromUs) this.crossBytes += SEGMENT_BYTES;
    } else if (b >= 0) cubic.lost(nowUs, this.roundTripUs);
    this.pump();
  }

  private pump(): void {
    const { cubic, agenda, nowUs } = this;
    const [link] = this.downs;
    while (cubic.isOpen) {
      const segment = this.sentUs.push(nowUs) - 1;
      cubic.inFlight += 1;
      if (link.offer(nowUs, SEGMENT_BYTES) === FATE_CARRIED) {
        agenda.push(link.arriveUs + this.paths[0].up.delayUs, EVENT_CROSS, ACKED, segment);
      } else {
        // Later segments tell of it, a round trip from now.
        agenda.push(nowUs + this.roundTripUs, EVENT_CROSS, LOST, segment);
      }
    }
  }
}
