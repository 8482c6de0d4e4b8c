/** The named scenarios, and those that cannot be promised yet, each with its reason. */
import {
  amplification,
  rebindAddress,
  rebindBase,
  rebindPort,
  restart,
  spoofedPath,
} from './addresses.js';
import { clockOffset } from './clock.js';
import { closeAndDrain } from './closing.js';
import { burstLoss, duplication, heavyLoss, reordering, transferLoss } from './delivery.js';
import { foreignQueues } from './foreign-queues.js';
import { handshake, handshakeCorruption, handshakeLoss, longRoundTrip } from './handshake.js';
import { inputLead } from './input-lead.js';
import { blackhole, corruption, oneWayLoss, partition } from './outages.js';
import { jitterBuffer } from './playout.js';
import {
  bufferbloat,
  crossTraffic,
  fairness,
  gameBesideCubic,
  gameMix,
  goodputAlone,
  heavyLossSaturated,
  ioThreads,
  shortQueues,
} from './rates.js';
import type { PendingScenario, Scenario } from './scenario.js';
import { slowLinks } from './slow-links.js';
import { spareCopies } from './spares.js';
import { wrap } from './wrap.js';

export { type Outcome, type PendingScenario, play, type Scenario } from './scenario.js';

export const scenarios: readonly Scenario[] = [
  handshake,
  handshakeLoss,
  handshakeCorruption,
  longRoundTrip,
  transferLoss,
  spareCopies,
  heavyLoss,
  heavyLossSaturated,
  corruption,
  duplication,
  reordering,
  blackhole,
  partition,
  oneWayLoss,
  rebindPort,
  rebindAddress,
  rebindBase,
  amplification,
  spoofedPath,
  jitterBuffer,
  clockOffset,
  inputLead,
  wrap,
  restart,
  goodputAlone,
  shortQueues,
  crossTraffic,
  gameBesideCubic,
  bufferbloat,
  gameMix,
  fairness,
  closeAndDrain,
  foreignQueues,
  slowLinks,
];

export const pendingScenarios: readonly PendingScenario[] = [burstLoss, ioThreads];
