/**
 * The players of one wire in a process of their own: real clients of the SDK, each driven by a bot.
 */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { Bot } from '../../examples/brawler/game/bot.js';
import { EventDigest } from '../../examples/brawler/game/digest.js';
import {
  type GameMessages,
  gameRegistry,
  type SnapshotValue,
} from '../../examples/brawler/game/messages.js';
import { FIGHTERS_MAX, STEPS_PER_SECOND } from '../../examples/brawler/game/rules.js';
import {
  Client,
  type ClientOption,
  type GameConnection,
  WithHighPerformanceTransport,
} from '../../src/sdk/index.js';
import { AckTimer } from './ack-timer.js';
import { FrameClock } from './frame-clock.js';
import { addPauses, type GcPauses, GcWatch, NO_PAUSES } from './gc-watch.js';
import {
  answer,
  answerFailure,
  type PlayersConfig,
  type PlayersFigures,
  type PlayersTotals,
  type RttFigures,
  serveCommands,
} from './ipc.js';
import { tcpRetransmits } from './tcp-retransmits.js';

const SECOND_MS = 1000;
/** The limits of a round trip that is recorded: a minute. */
const RTT_US_MAX = 60_000_000;

interface Seat {
  readonly connection: GameConnection<GameMessages>;
  readonly bot: Bot;
  readonly netId: number;
  readonly acks: AckTimer;
  readonly digest: EventDigest;
  snapshot: SnapshotValue | null;
}

class PlayersProcess {
  private readonly gc = new GcWatch();
  private readonly measuredRtt = rttHistogram();
  private readonly secondRtt = rttHistogram();
  private recording: RecordableHistogram[] = [this.secondRtt];
  private readonly seats: Seat[] = [];
  private snapshots = 0;
  private events = 0;
  private measuredPauses = NO_PAUSES;
  private measuredFrom = this.totals();
  private secondFrom = this.measuredFrom;
  private clock: FrameClock | null = null;
  private ticker: NodeJS.Timeout | null = null;
  private isLeaving = false;

  /** Players take their seats in order, so that both wires seat the same ones together. */
  async join(config: PlayersConfig): Promise<void> {
    const registry = gameRegistry();
    // Patient, as the WebSocket side is: a delayed link and a busy machine take time.
    const udp = WithHighPerformanceTransport({ fallback: 'error', handshakeTimeoutMs: 15_000 });
    const options: ClientOption[] = config.wire === 'udp' ? [udp] : [];
    const client = new Client({ baseUrl: config.address, apiKey: 'demo' }, ...options);
    for (let index = 0; index < config.players; index += 1) {
      const sessionToken = `player-${index}`;
      const connection = await client.dialGame(config.address, { registry, sessionToken });
      if (connection.wire !== config.wire) {
        throw new Error(`${sessionToken} is on ${connection.wire} instead of ${config.wire}`);
      }
      this.seats.push(this.seat(connection, index, config.seed));
    }
    answer({ kind: 'joined' });
  }

  play(): void {
    const startMs = performance.now();
    const frameMs = 1000 / STEPS_PER_SECOND;
    this.secondFrom = this.totals();
    this.clock = new FrameClock(this.seats.length, frameMs, (index, dueMs) => {
      const seat = this.seats[index];
      // A lost connection ends the run by its `closed`.
      if (seat.connection.state !== 'open') return;
      const message = seat.bot.frame(dueMs - startMs, seat.snapshot, seat.netId);
      if (message === null) return;
      seat.acks.onInput(seat.bot.lastSeq, dueMs);
      seat.connection.send('Input', message);
    });
    this.ticker = setInterval(() => this.reportSecond(), SECOND_MS);
  }

  measure(): void {
    this.takePauses();
    this.measuredPauses = NO_PAUSES;
    this.measuredRtt.reset();
    this.recording = [this.secondRtt, this.measuredRtt];
    this.measuredFrom = this.totals();
  }

  stop(): void {
    this.takePauses();
    const figures = this.figures(this.measuredFrom, this.measuredRtt, this.measuredPauses);
    this.recording = [this.secondRtt];
    answer({ kind: 'measured', players: figures });
  }

  /** No more inputs; what the server still sends is taken. */
  rest(): void {
    this.clock?.close();
    if (this.ticker !== null) clearInterval(this.ticker);
  }

  /** The server says that everything reliable has been acknowledged. */
  finish(): void {
    answer({ kind: 'finished', digests: this.seats.map(({ digest }) => digest.toString()) });
  }

  async close(): Promise<void> {
    this.isLeaving = true;
    this.rest();
    await Promise.all(this.seats.map(({ connection }) => connection.close()));
    process.disconnect();
  }

  private seat(connection: GameConnection<GameMessages>, index: number, seed: number): Seat {
    const seat: Seat = {
      connection,
      // The same bot sits in the same seat on either wire.
      bot: new Bot((seed + 1) * 65_537 + index),
      netId: (index % FIGHTERS_MAX) + 1,
      acks: new AckTimer(),
      digest: new EventDigest(),
      snapshot: null,
    };
    connection.on('Snapshot', (value) => {
      this.snapshots += 1;
      seat.snapshot = value;
      seat.acks.onAck(value.ackSeq, performance.now(), this.recording);
    });
    connection.on('GameEvent', (value) => {
      this.events += 1;
      seat.digest.add(value);
    });
    void connection.closed.then(({ code, reason }) => {
      if (this.isLeaving) return;
      answerFailure(new Error(`player-${index} lost its connection: ${code} ${reason}`.trimEnd()));
    });
    return seat;
  }

  private reportSecond(): void {
    const players = this.figures(this.secondFrom, this.secondRtt, this.takePauses());
    answer({ kind: 'second', players });
    this.secondRtt.reset();
    this.secondFrom = this.totals();
  }

  private takePauses(): GcPauses {
    const pauses = this.gc.take();
    this.measuredPauses = addPauses(this.measuredPauses, pauses);
    return pauses;
  }

  private figures(
    from: PlayersTotals,
    histogram: RecordableHistogram,
    gcPauseMs: GcPauses,
  ): PlayersFigures {
    const now = this.totals();
    return {
      players: this.seats.filter(({ connection }) => connection.state === 'open').length,
      snapshots: now.snapshots - from.snapshots,
      events: now.events - from.events,
      packetsIn: now.packetsIn - from.packetsIn,
      packetsLostIn: now.packetsLostIn - from.packetsLostIn,
      resends: now.resends - from.resends,
      tcpRetransmits: now.tcpRetransmits - from.tcpRetransmits,
      cpuUs: now.cpuUs - from.cpuUs,
      gcPauseMs,
      rttUs: rttOf(histogram),
    };
  }

  private totals(): PlayersTotals {
    const cpu = process.cpuUsage();
    const totals: PlayersTotals = {
      snapshots: this.snapshots,
      events: this.events,
      packetsIn: 0,
      packetsLostIn: 0,
      resends: 0,
      tcpRetransmits: tcpRetransmits(),
      cpuUs: cpu.user + cpu.system,
    };
    for (const { connection } of this.seats) {
      const stats = connection.stats();
      totals.packetsIn += stats.packetsIn;
      totals.packetsLostIn += stats.packetsLostIn;
      totals.resends += stats.resends;
    }
    return totals;
  }
}

function rttHistogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: RTT_US_MAX, figures: 3 });
}

function rttOf(histogram: RecordableHistogram): RttFigures {
  if (histogram.count === 0) return { samples: 0, p50: 0, p99: 0, p999: 0, max: 0 };
  return {
    samples: histogram.count,
    p50: histogram.percentile(50),
    p99: histogram.percentile(99),
    p999: histogram.percentile(99.9),
    max: histogram.max,
  };
}

const players = new PlayersProcess();

serveCommands(async (command) => {
  switch (command.kind) {
    case 'join':
      return players.join(command.config);
    case 'play':
      return players.play();
    case 'measure':
      return players.measure();
    case 'stop':
      return players.stop();
    case 'rest':
      return players.rest();
    case 'finish':
      return players.finish();
    case 'close':
      return players.close();
    default:
  }
});
