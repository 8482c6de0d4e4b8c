/**
 * A client process in JavaScript beside the load: a whole match of players, or as many echo flows, on the
 * runtime that players have. What it tells is its garbage collection; the load has the other figures.
 * It is spoken to as a server of the suite (words.ts), and its `echoed` counts what it heard.
 */
import { parseArgs } from 'node:util';
import { Bot } from '../../../examples/brawler/game/bot.js';
import type { SnapshotValue } from '../../../examples/brawler/game/messages.js';
import { FIGHTERS_MAX } from '../../../examples/brawler/game/rules.js';
import { FrameClock } from '../../match/frame-clock.js';
import { ECHO_VALUES } from '../plan.js';
import { type BenchServer, serve } from '../servers/serve.js';

/** A match of its own: it comes after the load, whose players fill theirs. */
export const SEATS = FIGHTERS_MAX;

const FRAMES_PER_SECOND = 60;

export interface ClientArguments {
  /** `ip:port` of the messages, and of the tickets where the server has such. */
  server: string;
  tickets: string;
  isGame: boolean;
  /** Echoes per second of each flow. */
  hz: number;
}

export interface Ears {
  snapshot(value: SnapshotValue): void;
  event(): void;
  echo(): void;
}

/** One player's end. */
export interface Line {
  send(type: 'Echo' | 'Input', value: object): void;
}

class Seat implements Ears {
  line: Line | null = null;
  heard = 0;
  events = 0;
  private readonly bot: Bot;
  private snapshotNow: SnapshotValue | null = null;
  private readonly message = { seq: 0, sentUs: 0, values: new Array(ECHO_VALUES).fill(500) };

  constructor(private readonly index: number) {
    this.bot = new Bot(index + 1);
  }

  snapshot(value: SnapshotValue): void {
    this.heard += 1;
    this.snapshotNow = value;
  }

  event(): void {
    this.heard += 1;
    this.events += 1;
  }

  echo(): void {
    this.heard += 1;
  }

  frame(dueMs: number): void {
    const input = this.bot.frame(dueMs, this.snapshotNow, this.index + 1);
    if (input !== null) this.line?.send('Input', input);
  }

  say(dueMs: number): void {
    const { message } = this;
    message.seq += 1;
    message.sentUs = Math.floor(dueMs * 1000) >>> 0;
    this.line?.send('Echo', message);
  }
}

/** Dials every seat, one after the other, and plays between `run` and `pause`. */
export function play(
  dial: (args: ClientArguments, index: number, ears: Ears) => Promise<Line>,
): void {
  void serve(async (): Promise<BenchServer> => {
    const args = readArguments();
    const seats: Seat[] = [];
    for (let index = 0; index < SEATS; index += 1) {
      const seat = new Seat(index);
      seat.line = await dial(args, index, seat);
      seats.push(seat);
    }
    const periodMs = 1000 / (args.isGame ? FRAMES_PER_SECOND : args.hz);
    let clock: FrameClock | null = null;
    const stop = (): void => {
      clock?.close();
      clock = null;
    };
    return {
      ready: { ready: args.server },
      run: () => {
        stop();
        clock = new FrameClock(SEATS, periodMs, (index, dueMs) => {
          if (args.isGame) seats[index].frame(dueMs);
          else seats[index].say(dueMs);
        });
      },
      pause: stop,
      mark: () => ({
        echoed: seats.reduce((sum, { heard }) => sum + heard, 0),
        events: seats.reduce((sum, { events }) => sum + events, 0),
      }),
    };
  });
}

function readArguments(): ClientArguments {
  const { values } = parseArgs({
    options: {
      server: { type: 'string', default: '' },
      tickets: { type: 'string', default: '' },
      game: { type: 'boolean', default: false },
      hz: { type: 'string', default: '1' },
    },
  });
  const { server, tickets, game, hz } = values;
  return { server, tickets, isGame: game, hz: Number(hz) };
}
