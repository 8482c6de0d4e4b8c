// Every message type there is, with its schema model and flatc accessor.
import type { ByteBuffer } from 'flatbuffers';
import * as game from '../../src/messages/generated/flatc/ggscale/game.js';
import type { MessageType } from '../../src/messages/index.js';
import * as kitchen from './generated/flatc/test/kitchen.js';
import { Kitchen, Tiny, Tree } from './generated/index.js';
import { loadTables, type ObjectModel } from './oracle.js';
import { WORKLOAD_TYPES } from './workload-types.js';

export interface Subject {
  type: MessageType;
  model: ObjectModel;
  accessor: (buffer: ByteBuffer) => unknown;
}

export const TYPES = {
  ...WORKLOAD_TYPES,
  Kitchen,
  Tiny,
  Tree,
};

export async function loadSubjects(): Promise<Subject[]> {
  const models = new Map([...(await loadTables(0)), ...(await loadTables(1))]);
  const accessors: Record<string, Subject['accessor']> = {
    Input: (buffer) => game.Input.getRootAsInput(buffer),
    Snapshot: (buffer) => game.Snapshot.getRootAsSnapshot(buffer),
    GameEvent: (buffer) => game.GameEvent.getRootAsGameEvent(buffer),
    GameState: (buffer) => game.GameState.getRootAsGameState(buffer),
    MatchEvent: (buffer) => game.MatchEvent.getRootAsMatchEvent(buffer),
    ScoreEvent: (buffer) => game.ScoreEvent.getRootAsScoreEvent(buffer),
    LobbyUpdate: (buffer) => game.LobbyUpdate.getRootAsLobbyUpdate(buffer),
    LobbyAction: (buffer) => game.LobbyAction.getRootAsLobbyAction(buffer),
    JoinRequest: (buffer) => game.JoinRequest.getRootAsJoinRequest(buffer),
    JoinAccepted: (buffer) => game.JoinAccepted.getRootAsJoinAccepted(buffer),
    JoinRejected: (buffer) => game.JoinRejected.getRootAsJoinRejected(buffer),
    Kitchen: (buffer) => kitchen.Kitchen.getRootAsKitchen(buffer),
    Tiny: (buffer) => kitchen.Tiny.getRootAsTiny(buffer),
    Tree: (buffer) => kitchen.Tree.getRootAsTree(buffer),
  };
  return Object.values(TYPES).map((type: MessageType) => {
    const model = models.get(type.name);
    if (model === undefined) throw new Error(`no model of ${type.name}`);
    return { type, model, accessor: accessors[type.name] };
  });
}
