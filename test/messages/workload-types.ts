/** The messages of the workload, one by one, in the order of their ids. */
import {
  GameEvent,
  GameState,
  Input,
  JoinAccepted,
  JoinRejected,
  JoinRequest,
  LobbyAction,
  LobbyUpdate,
  MatchEvent,
  ScoreEvent,
  Snapshot,
} from '../../src/messages/generated/index.js';

export const WORKLOAD_TYPES = {
  Input,
  Snapshot,
  GameEvent,
  GameState,
  MatchEvent,
  ScoreEvent,
  LobbyUpdate,
  LobbyAction,
  JoinRequest,
  JoinAccepted,
  JoinRejected,
};
