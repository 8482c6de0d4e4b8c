/** The messages of the programs' game: of every delivery mode, on several channels. */
import { createRegistry } from '../src/index.js';
import {
  GameEvent,
  type GameEventValue,
  Input,
  type InputValue,
  LobbyAction,
  type LobbyActionValue,
  MatchEvent,
  type MatchEventValue,
  ScoreEvent,
  type ScoreEventValue,
  Snapshot,
  type SnapshotValue,
} from '../src/messages/generated/index.js';
import {
  Kitchen,
  type KitchenValue,
  Tree,
  type TreeValue,
} from '../test/messages/generated/index.js';

export interface Messages {
  /** Reliable, ordered, channel 3. */
  GameEvent: GameEventValue;
  /** Reliable, ordered, channel 4. */
  MatchEvent: MatchEventValue;
  ScoreEvent: ScoreEventValue;
  /** Reliable, ordered, channel 5. */
  LobbyAction: LobbyActionValue;
  /** Unreliable, the newest wins; channels 1 and 2. */
  Input: InputValue;
  Snapshot: SnapshotValue;
  /** Reliable, unordered, channel 7. */
  Tree: TreeValue;
  /** Every kind of field; reliable, ordered, channel 9. */
  Kitchen: KitchenValue;
  /** Not registered: JSON, reliable, ordered, channel 0. */
  [unregistered: string]: unknown;
}

export const TYPES = {
  GameEvent,
  MatchEvent,
  ScoreEvent,
  LobbyAction,
  Input,
  Snapshot,
  Tree,
  Kitchen,
};

export const registry = createRegistry(TYPES);
