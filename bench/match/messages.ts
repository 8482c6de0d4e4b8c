/** The one place where the main job takes its message types from. */
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
} from '../../src/messages/generated/index.js';
