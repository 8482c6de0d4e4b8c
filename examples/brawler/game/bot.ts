/**
 * A player: looks at the newest snapshot and presses buttons for human lengths of time. Seeded; the
 * rate of its inputs (on change, else every 50 ms) is what the workload measured in real matches.
 */

import { Prng } from '../../../src/util/prng.js';
import { Action, type InputFrameValue, type InputValue, type SnapshotValue } from './messages.js';

/** An input is repeated after this long without a change. */
export const REPEAT_MS = 50;
/** The newest input and the two before it: one lost datagram loses no press. */
const REDUNDANT_FRAMES = 3;

/** Below these distances (px) a bot strikes, throws. */
const STRIKE_DISTANCE = 90;
const THROW_DISTANCE = 900;

export class Bot {
  private readonly prng: Prng;
  private readonly frames: InputFrameValue[] = [];
  private readonly message: InputValue = { inputs: [] };
  private seq = 0;
  private sentMs = Number.NEGATIVE_INFINITY;
  private actions = 0;
  private direction = 0;
  private walkFrames = 0;
  private jumpFrames = 0;
  private attackFrames = 0;
  private chargeFrames = 0;
  private restFrames = 0;

  constructor(seed: number) {
    this.prng = new Prng(seed);
  }

  /** Number of the newest input made; the first is 1. */
  get lastSeq(): number {
    return this.seq;
  }

  /**
   * One frame of 1/60 s.
   * @param netId who this bot is in the snapshot; 0 when not known yet
   * @returns the message to send now (reused by the next call), or null when nothing is due
   */
  frame(nowMs: number, snapshot: SnapshotValue | null, netId: number): InputValue | null {
    const before = this.actions;
    const beforeDirection = this.direction;
    this.decide(snapshot, netId);
    const changed = this.actions !== before || this.direction !== beforeDirection;
    if (!changed && nowMs - this.sentMs < REPEAT_MS) return null;
    this.sentMs = nowMs;
    this.seq += 1;
    this.remember(nowMs);
    return this.message;
  }

  private remember(nowMs: number): void {
    // The oldest frame's object becomes the newest one's: nothing is allocated in steady state.
    const frame =
      this.frames.length < REDUNDANT_FRAMES
        ? { seq: 0, clientMs: 0, actions: 0, direction: 0 }
        : (this.frames.pop() as InputFrameValue);
    frame.seq = this.seq;
    frame.clientMs = Math.max(0, Math.floor(nowMs));
    frame.actions = this.actions;
    frame.direction = this.direction;
    this.frames.unshift(frame);
    this.message.inputs = this.frames;
  }

  private decide(snapshot: SnapshotValue | null, netId: number): void {
    const prng = this.prng;
    let dx = Number.POSITIVE_INFINITY;
    let dy = 0;
    if (snapshot !== null) {
      const me = snapshot.players.find((player) => player.netId === netId);
      for (const other of snapshot.players) {
        if (me === undefined || other === me || other.health === 0 || other.lives === 0) continue;
        if (Math.abs(other.x - me.x) >= Math.abs(dx)) continue;
        dx = other.x - me.x;
        dy = other.y - me.y;
      }
    }
    if (this.walkFrames > 0) this.walkFrames -= 1;
    else this.chooseWalk(dx);
    const near = Math.abs(dx) < STRIKE_DISTANCE && Math.abs(dy) < STRIKE_DISTANCE;
    if (this.jumpFrames > 0) this.jumpFrames -= 1;
    else if (prng.chance(dy < -60 ? 6 : 2, 110)) this.jumpFrames = 6 + prng.below(8);
    if (this.restFrames > 0) this.restFrames -= 1;
    else if (near && this.attackFrames === 0 && prng.chance(1, 8)) {
      this.attackFrames = 4 + prng.below(4);
      this.restFrames = 24 + prng.below(30);
    }
    if (this.attackFrames > 0) this.attackFrames -= 1;
    if (this.chargeFrames > 0) this.chargeFrames -= 1;
    else if (!near && Math.abs(dx) < THROW_DISTANCE && prng.chance(1, 100)) {
      this.chargeFrames = 12 + prng.below(36);
    }
    this.actions =
      (this.jumpFrames > 0 ? Action.Jump : 0) |
      (this.attackFrames > 0 ? Action.Attack : 0) |
      (this.chargeFrames > 0 ? Action.Boomerang : 0) |
      (this.chargeFrames > 0 && dy < -200 ? Action.Up : 0) |
      (this.direction === 0 && this.walkFrames > 12 ? Action.Crouch : 0);
  }

  /** Towards the nearest enemy mostly, sometimes away, sometimes still. */
  private chooseWalk(dx: number): void {
    const towards =
      dx === Number.POSITIVE_INFINITY ? (this.prng.chance(1, 2) ? 1 : -1) : dx < 0 ? -1 : 1;
    const mood = this.prng.below(10);
    this.direction = mood < 6 ? towards : mood < 8 ? -towards : 0;
    this.walkFrames = 8 + this.prng.below(28);
  }
}
