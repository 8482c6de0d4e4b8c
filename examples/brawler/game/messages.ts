/** The one place where the main job takes its message types from. */
import {
  GameEvent,
  type GameEventValue,
  Input,
  type InputValue,
  Snapshot,
  type SnapshotValue,
} from '../../../src/messages/generated/index.js';
import { createRegistry, type Registry } from '../../../src/sdk/index.js';

export {
  Action,
  BoomerangPhase,
  type BoomerangStateValue,
  GameEvent,
  GameEventKind,
  type GameEventValue,
  Input,
  type InputFrameValue,
  type InputValue,
  MatchState,
  type PlayerStateValue,
  Snapshot,
  type SnapshotValue,
} from '../../../src/messages/generated/index.js';

/** What the game's connections carry, by name. */
export type GameMessages = {
  Input: InputValue;
  Snapshot: SnapshotValue;
  GameEvent: GameEventValue;
};

export function gameRegistry(): Registry<GameMessages> {
  return createRegistry({ Input, Snapshot, GameEvent });
}
