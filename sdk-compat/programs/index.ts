/** Every program, and what the contract lets differ between the wires. */
import type { Client } from '../../src/index.js';
import type { Rule } from '../compare.js';
import type { Log } from '../transcript.js';
import { backPressure } from './back-pressure.js';
import { badValues } from './bad-values.js';
import { bigMessages } from './big-messages.js';
import { channelOrder } from './channel-order.js';
import { closing } from './closing.js';
import { dialling } from './dialling.js';
import { expiryAndKeys } from './expiry-and-keys.js';
import { figures } from './figures.js';
import { handOff } from './hand-off.js';
import { newestConnection } from './newest-connection.js';
import { newestState } from './newest-state.js';
import { reading } from './reading.js';
import { receipts } from './receipts.js';
import { rooms } from './rooms.js';
import { serverClosing } from './server-closing.js';
import { serverTime } from './server-time.js';
import { switching } from './switching.js';
import { typedValues } from './typed-values.js';
import { untypedValues } from './untyped-values.js';
import { wrongOrder } from './wrong-order.js';

export type Program = (client: Client, address: string, log: Log) => Promise<void>;

export interface Entry {
  run: Program;
  /** Its client has a launch server, of which the game server is a fleet. */
  hasLaunch?: true;
  /** By lane; the others must be the same. */
  rules?: Readonly<Record<string, Rule>>;
  /** Instead of them, when UDP dies in the middle. */
  rulesWhenUdpDies?: Readonly<Record<string, Rule>>;
  /** Instead of them, when both clients are pages: there the option finds no UDP. */
  rulesInPages?: Readonly<Record<string, Rule>>;
  /** Why its transcript need not be the same when UDP dies in the middle. */
  notWhenUdpDies?: string;
  /** Why the lanes with a rule may differ, for people. */
  because?: string;
}

export const PROGRAMS: Readonly<Record<string, Entry>> = {
  'back-pressure': { run: backPressure },
  'bad-values': { run: badValues },
  'big-messages': { run: bigMessages },
  'channel-order': {
    run: channelOrder,
    rules: { unordered: 'any order' },
    because: 'a reliable unordered channel promises no order',
  },
  closing: {
    run: closing,
    notWhenUdpDies: 'close() waits two seconds for acknowledgements, and five make a path dead',
  },
  dialling: { run: dialling },
  'expiry-and-keys': { run: expiryAndKeys },
  figures: { run: figures },
  'hand-off': {
    run: handOff,
    hasLaunch: true,
    rules: { snapshots: 'newest' },
    because: 'snapshots are unreliable messages: see newest-state',
  },
  'newest-connection': { run: newestConnection },
  'newest-state': {
    run: newestState,
    rules: { snapshots: 'newest' },
    because: 'unreliable messages may be lost on UDP, and give way to newer ones on both wires',
  },
  reading: { run: reading },
  receipts: { run: receipts },
  rooms: { run: rooms },
  'server-closing': {
    run: serverClosing,
    notWhenUdpDies: 'a server that is gone cannot tell over a dead path how it went',
  },
  'server-time': { run: serverTime },
  switching: {
    run: switching,
    rules: {
      'to udp': {
        off: '[{"error":"GameDialError","class":"GameDialError","message":"ggscale: the client was made without',
        on: '[{"result":{"$undefined":true}}]',
      },
    },
    rulesWhenUdpDies: {
      'to udp': {
        off: '[{"error":"GameDialError","class":"GameDialError","message":"ggscale: the client was made without',
        on: '[{"error":"GameDialError","class":"GameDialError","message":"ggscale: no answer within 2000 ms"',
      },
    },
    rulesInPages: {
      'to udp': {
        off: '[{"error":"GameDialError","class":"GameDialError","message":"ggscale: the client was made without',
        on: '[{"error":"TransportError","class":"TransportError","message":"ggscale: browsers have no UDP',
      },
    },
    because: 'a client that was made without the option cannot be moved to UDP, and is told so',
  },
  'typed-values': { run: typedValues },
  'untyped-values': { run: untypedValues },
  'wrong-order': { run: wrongOrder },
};
