/** The page's end of the game connection: snapshots shown evenly, inputs sent just in time. */
import {
  Client,
  type CloseInfo,
  createRegistry,
  type GameConnection,
  type PlayoutView,
  SnapshotBuffer,
} from '@ggscale/transport';
import {
  GameEvent,
  type GameEventValue,
  Input,
  Snapshot,
  type SnapshotValue,
} from '@ggscale/transport/messages';
import type { Messages, RosterEntry, Welcome } from '../messages.js';
import type { Controls } from './controls.js';

/** Nobody looks at events from minutes ago, as after a while in a hidden tab. */
const EVENTS_MAX = 200;

export class Net {
  readonly connection: GameConnection<Messages>;
  readonly playout: SnapshotBuffer<SnapshotValue>;
  /** Who this page plays; 0: nobody, it watches. */
  netId: number;
  roster: RosterEntry[] = [];
  /** Came, and their moment has not been shown. */
  #events: GameEventValue[] = [];
  #sentTick = 0;

  private constructor(connection: GameConnection<Messages>, welcome: Welcome) {
    const { netId, tickHz, ticksPerSnapshot } = welcome;
    this.connection = connection;
    this.netId = netId;
    this.playout = new SnapshotBuffer({ tickHz, ticksPerPacket: ticksPerSnapshot });
    connection.on('roster', (roster) => {
      this.roster = roster;
    });
    connection.on('GameEvent', (event) => {
      this.#events.push(event);
      if (this.#events.length > EVENTS_MAX) this.#events.shift();
    });
    connection.on('Snapshot', (snapshot, meta) => {
      this.playout.put(snapshot.tick, snapshot, performance.now() - meta.ageMs);
    });
  }

  /** Dials where the page came from. @throws GGScaleError, RequestError, GameDialError */
  static async join(name: string): Promise<Net> {
    const client = new Client({ apiKey: 'example', baseUrl: location.origin });
    const connection = await client.dialGame<Messages>(location.origin, {
      registry: createRegistry({ GameEvent, Input, Snapshot }),
      sessionToken: `${name}#${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`,
    });
    return new Promise((resolve, reject) => {
      let net: Net | null = null;
      connection.on('welcome', (welcome) => {
        net ??= new Net(connection, welcome);
        net.netId = welcome.netId;
        resolve(net);
      });
      const early = ({ code }: CloseInfo) => reject(new Error(`The server has closed (${code}).`));
      void connection.closed.then(early);
    });
  }

  get closed(): Promise<CloseInfo> {
    return this.connection.closed;
  }

  /** What is to be shown now; null before the first snapshot. */
  view(nowMs: number): PlayoutView<SnapshotValue> | null {
    return this.playout.at(nowMs);
  }

  /** Events up to the tick that is shown, in order. */
  eventsUntil(tick: number): GameEventValue[] {
    const due = this.#events.filter((event) => event.tick <= tick);
    if (due.length > 0) this.#events = this.#events.filter((event) => event.tick > tick);
    return due;
  }

  /** Sends what is pressed, for the first tick it can still reach; once for each tick. */
  sendInput(controls: Controls, nowMs: number): void {
    const tick = this.connection.tickToSend();
    if (this.netId === 0 || !(tick > this.#sentTick) || this.connection.state !== 'open') return;
    this.#sentTick = tick;
    const frame = { seq: tick, clientMs: Math.floor(nowMs), ...controls.read() };
    this.connection.send('Input', { inputs: [frame] }); // TCP loses none: no copies of older ones
  }
}
