/** The services' types; the services themselves are fields of the client. */
export type { AccountService, RemoteAddr } from './account.js';
export type * from './auth.js';
export type * from './config.js';
export type * from './fleets.js';
export type * from './friends.js';
export type * from './game-sessions.js';
export type * from './health.js';
export type * from './invites.js';
export type * from './leaderboards.js';
export type {
  Match,
  MatchMode,
  MatchRequest,
  MatchTicket,
  RosterEntry,
} from './match.js';
export type { MatchmakerService, WaitOptions } from './matchmaker.js';
export type { Page, PageOptions } from './pages.js';
export type * from './parties.js';
export type * from './players.js';
export type * from './presence.js';
export type * from './profile.js';
export type * from './realtime.js';
export type * from './relay.js';
export type * from './server.js';
export type * from './signals.js';
export type {
  PutOptions,
  StorageListOptions,
  StorageObject,
  StorageObjectMetadata,
  StorageService,
} from './storage.js';
