/** What travels: the game's typed messages, and two in JSON about who plays. */
import type { GameMessages } from './game/messages.js';

export { gameRegistry as brawlerRegistry } from './game/messages.js';

export interface Messages extends GameMessages {
  welcome: Welcome;
  roster: RosterEntry[];
}

/** To a newcomer, and again whenever the seat changes. */
export interface Welcome {
  /** Who of the snapshot's players it is; 0: it watches until a seat is free. */
  netId: number;
  tickHz: number;
  /** One snapshot in so many ticks. */
  ticksPerSnapshot: number;
}

export interface RosterEntry {
  netId: number;
  name: string;
  isBot: boolean;
  wire: string;
  /** NaN does not travel: null until it is measured. */
  rttMs: number | null;
  kills: number;
}
