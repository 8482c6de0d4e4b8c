/** The processes beside the server as the main process of a soak sees them. */
import { Child } from '../churn/child.js';
import type {
  PathCommand,
  PathFigures,
  PathReady,
  PathSetup,
  PlayerFigures,
  PlayersAnswer,
  PlayersCommand,
  PlayersSetup,
  StrangersFigures,
  StrangersSetup,
} from './messages.js';

export class PathChild extends Child {
  constructor(setup: PathSetup) {
    super('path', 'soak/path-process.js', JSON.stringify(setup), []);
  }

  ready(): Promise<PathReady> {
    return this.next<PathReady>('ready');
  }

  say(command: PathCommand): void {
    this.tell(command);
  }

  calm(): Promise<PathFigures> {
    const answer = this.next<PathFigures>('path');
    this.tell({ kind: 'calm' });
    return answer;
  }
}

export class PlayersChild extends Child {
  constructor() {
    super('players', 'soak/players-process.js', '', []);
  }

  async setUp(setup: PlayersSetup): Promise<void> {
    await this.#ask({ kind: 'setup', setup }, 'ready');
  }

  async seat(residents: number): Promise<void> {
    await this.#ask({ kind: 'seat', residents }, 'seated');
  }

  begin(perWire: number): void {
    this.tell({ kind: 'round', perWire });
  }

  rest(): Promise<PlayerFigures> {
    return this.#ask({ kind: 'rest' }, 'rested');
  }

  leave(): Promise<PlayerFigures> {
    return this.#ask({ kind: 'leave' }, 'left');
  }

  async #ask(command: PlayersCommand, kind: PlayersAnswer['kind']): Promise<PlayerFigures> {
    const answer = this.next<PlayersAnswer>(kind);
    this.tell(command);
    return (await answer).figures;
  }
}

export class StrangersChild extends Child {
  constructor() {
    super('strangers', 'soak/strangers-process.js', '', []);
  }

  async begin(setup: StrangersSetup): Promise<void> {
    const ready = this.next<{ kind: 'ready' }>('ready');
    this.tell({ kind: 'garbage', setup });
    await ready;
  }

  rest(): Promise<StrangersFigures> {
    const answer = this.next<StrangersFigures>('strangers');
    this.tell({ kind: 'rest' });
    return answer;
  }
}
