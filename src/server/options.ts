/**
 * Validation of GameServerOptions: every refusal names the field, the value and what is accepted.
 */
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import { createRegistry } from '../messages/index.js';
import type { Registry } from '../messages/types.js';
import { createLogger, LOG_LEVELS, type Logger, type LogLevel } from '../ops/index.js';
import { readChannels } from '../session/channels.js';
import { RESUME_WINDOW_MS } from '../session/limits.js';
import { type AdmissionSettings, readAdmission } from '../util/admission.js';
import type { ChannelOptions } from '../util/channel-options.js';
import { badOption, TransportError } from '../util/errors.js';
import type { NxMode } from '../util/nx.js';
import { flag, integer, number, oneOf, refuseUnknown } from '../util/option-checks.js';
import { isLoopback } from './addresses.js';
import type {
  GameServerOptions,
  MetricsOptions,
  Revalidate,
  UdpDriver,
  UdpListenOptions,
  VerifySession,
  WsEngine,
} from './types.js';
import { hostsOf, originsOf, readEngine, readWs } from './ws-options.js';

export const DEFAULT_PROTOCOL_ID = 0x67677363616c6501n;
const MAX_FLOWS = 4096;
const MAX_FLOWS_MAX = 1 << 20;
export const TICK_HZ_MIN = 1;
export const TICK_HZ_MAX = 1000;
/** As many sockets the kernel's steering program knows. */
const THREADS_MAX = 16;
const CPU_MAX = 1023;
const REVALIDATE_MS = 20_000;
const BUFFER_BYTES_MAX = 1 << 30;

export interface UdpSettings {
  port: number | null;
  nx: NxMode;
  driver: UdpDriver;
  threads: number;
  affinity: number[];
  privateKey: Uint8Array;
  protocolId: bigint;
  advertise: string[];
  /** 0: unchecked. */
  maxTokenLifetimeS: number;
  maxFlows: number;
  receiveBufferBytes: number;
  sendBufferBytes: number;
}

/** PEM, as node:tls takes it. */
export interface TlsMaterial {
  key: string | Buffer;
  cert: string | Buffer;
}

export interface ServerSettings {
  host: string;
  port: number;
  registry: Registry<object>;
  tickHz: number;
  udp: UdpSettings | null;
  hasWs: boolean;
  /** `auto` only where uWebSockets.js could serve. */
  wsEngine: WsEngine;
  allowedHosts: Set<string> | null;
  /** Null: none were given. */
  allowedOrigins: ReadonlySet<string> | null;
  verifySession: VerifySession;
  /** Null: nobody is asked again. */
  revalidate: Revalidate | null;
  revalidateMs: number;
  dev: boolean;
  tls: TlsMaterial | null;
  trustProxy: boolean;
  maxPlayers: number;
  ticketsPerSecond: number;
  ticketBurst: number;
  admission: AdmissionSettings;
  resumeWindowMs: number;
  logger: Logger;
  /** Null: off. */
  metrics: MetricsSettings | null;
  /** By channel, the runtime's own too. */
  channels: readonly (ChannelOptions | undefined)[];
}

export interface MetricsSettings {
  /** Null: everybody may read them. */
  bearer: string | null;
}

const KNOWN = new Set([
  'port',
  'host',
  'registry',
  'tickHz',
  'udp',
  'ws',
  'verifySession',
  'revalidate',
  'revalidateMs',
  'dev',
  'tls',
  'trustProxy',
  'maxPlayers',
  'ticketsPerSecondPerAddress',
  'admission',
  'resumeWindowMs',
  'logger',
  'logLevel',
  'metrics',
  'channels',
]);
const KNOWN_UDP = new Set([
  'port',
  'nx',
  'driver',
  'threads',
  'affinity',
  'privateKey',
  'protocolId',
  'advertise',
  'maxTokenLifetimeS',
  'maxFlows',
  'receiveBufferBytes',
  'sendBufferBytes',
]);
/** Admission settings that concern HTTP and WebSocket too. */
const BOTH_WIRES: ReadonlySet<string> = new Set(['blocked', 'busy', 'retryAfterS']);
const KNOWN_TLS = new Set(['key', 'cert']);
const KNOWN_METRICS = new Set(['bearer']);
const NX_MODES = ['off', 'allow', 'require'] as const;
const DRIVERS = ['auto', 'immediate', 'tick'] as const;
/** As long as a bearer must be so that nobody tries them all, and a header may be. */
const BEARER = /^[!-~]{16,256}$/;

/** @throws TransportError bad-option */
export function readServerOptions<R extends object>(options: GameServerOptions<R>): ServerSettings {
  refuseUnknown('', options, KNOWN);
  const dev = flag('dev', options.dev);
  const trustProxy = flag('trustProxy', options.trustProxy);
  const tls = readTls(options.tls);
  const host = options.host ?? '127.0.0.1';
  if (typeof host !== 'string' || host === '') throw badOption('host', host, 'an IP address');
  if (dev && !isLoopback(host)) {
    // TLS or not: in `dev` the session token itself is the player id.
    throw badOption(
      'host',
      host,
      'a loopback address with `dev`; without it, `tls` or `trustProxy`',
    );
  }
  if (!dev && tls === null && !trustProxy) {
    throw new TransportError(
      'bad-option',
      'ggscale: tickets need TLS: give `tls`, or `trustProxy: true` behind a TLS proxy, or for ' +
        `development \`dev: true\` with a loopback host (host is ${JSON.stringify(host)})`,
    );
  }
  const tickHz = options.tickHz ?? 0;
  if (tickHz !== 0) number('tickHz', tickHz, TICK_HZ_MIN, TICK_HZ_MAX);
  const ws = options.ws === false ? null : (options.ws ?? {});
  if (ws !== null) readWs(ws);
  const rate = options.ticketsPerSecondPerAddress ?? 50;
  const udp = options.udp === false ? null : readUdp(options.udp ?? {}, tickHz);
  return {
    host,
    port: integer('port', options.port ?? 0, 0, 65535),
    registry: readRegistry(options.registry as Registry<object> | undefined),
    tickHz,
    admission: readServerAdmission(options.admission ?? {}, options.udp !== false),
    udp,
    hasWs: ws !== null,
    allowedOrigins: originsOf(ws?.allowedOrigins),
    wsEngine: readEngine(ws, host, tls, udp),
    allowedHosts: dev ? hostsOf(host, ws?.allowedHosts) : null,
    verifySession: readVerifySession(options.verifySession, dev),
    ...readRevalidate(options),
    dev,
    tls,
    trustProxy,
    maxPlayers: integer('maxPlayers', options.maxPlayers ?? MAX_FLOWS, 1, MAX_FLOWS_MAX),
    ticketsPerSecond: number('ticketsPerSecondPerAddress', rate, 0.1, 1e6),
    ticketBurst: Math.max(4, rate * 4),
    resumeWindowMs: number(
      'resumeWindowMs',
      options.resumeWindowMs ?? RESUME_WINDOW_MS,
      0,
      600_000,
    ),
    logger: readLogger(options.logger, options.logLevel),
    metrics: readMetrics(options.metrics),
    channels: readChannels(options.channels),
  };
}

/**
 * Without UDP most have nothing to guard, and a setting without effect would look like one.
 *
 * @throws TransportError bad-option
 */
export function readServerAdmission(given: AdmissionSettings, hasUdp: boolean): AdmissionSettings {
  const names = Object.keys(readAdmission('admission', given));
  const name = names.find((it) => !BOTH_WIRES.has(it));
  if (hasUdp || name === undefined) return given;
  throw new TransportError(
    'bad-option',
    `ggscale: admission.${name} guards the UDP listener, which is off; only ${[...BOTH_WIRES].join(', ')} have an effect`,
  );
}

function readUdp(udp: UdpListenOptions, tickHz: number): UdpSettings {
  refuseUnknown('udp.', udp, KNOWN_UDP);
  const driver = oneOf('udp.driver', udp.driver ?? (tickHz > 0 ? 'tick' : 'auto'), DRIVERS);
  if (driver === 'tick' && tickHz === 0) {
    throw badOption('udp.driver', driver, "'auto' or 'immediate' while tickHz is 0");
  }
  const threads = integer('udp.threads', udp.threads ?? 0, 0, THREADS_MAX);
  const affinity = udp.affinity ?? [];
  if (!Array.isArray(affinity) || (affinity.length > 0 && affinity.length !== threads)) {
    throw badOption('udp.affinity', affinity, 'a CPU for each of udp.threads, or none');
  }
  for (const cpu of affinity) integer('udp.affinity', cpu, 0, CPU_MAX);
  const nx = oneOf('udp.nx', udp.nx ?? 'allow', NX_MODES);
  const protocolId = udp.protocolId ?? DEFAULT_PROTOCOL_ID;
  if (typeof protocolId !== 'bigint' || BigInt.asUintN(64, protocolId) !== protocolId) {
    throw badOption('udp.protocolId', protocolId, 'a bigint 0…2^64−1');
  }
  const advertise = udp.advertise ?? [];
  if (!Array.isArray(advertise) || advertise.length > 32 || !advertise.every(isAddress)) {
    throw badOption('udp.advertise', advertise, 'at most 32 strings `ip:port`');
  }
  return {
    port: udp.port === undefined ? null : integer('udp.port', udp.port, 0, 65535),
    nx,
    driver,
    threads,
    affinity,
    privateKey: readKey(udp.privateKey),
    protocolId,
    advertise,
    maxTokenLifetimeS: integer('udp.maxTokenLifetimeS', udp.maxTokenLifetimeS ?? 0, 0, 86_400),
    maxFlows: integer('udp.maxFlows', udp.maxFlows ?? MAX_FLOWS, 1, MAX_FLOWS_MAX),
    receiveBufferBytes: bufferBytes('udp.receiveBufferBytes', udp.receiveBufferBytes),
    sendBufferBytes: bufferBytes('udp.sendBufferBytes', udp.sendBufferBytes),
  };
}

function readTls(tls: GameServerOptions['tls']): ServerSettings['tls'] {
  if (tls === undefined) return null;
  if (typeof tls === 'object' && tls !== null) refuseUnknown('tls.', tls, KNOWN_TLS);
  const isPart = (part: unknown) => typeof part === 'string' || part instanceof Uint8Array;
  const { key, cert } = tls ?? {};
  // The value holds a secret: it is not repeated in the message.
  if (!isPart(key) || !isPart(cert)) {
    throw new TransportError('bad-option', 'ggscale: tls must be { key, cert } in PEM');
  }
  const material = { key: pem(key), cert: pem(cert) };
  try {
    createSecureContext(material);
  } catch (cause) {
    const { message } = cause as Error;
    throw new TransportError('bad-option', `ggscale: tls is refused: ${message}`, { cause });
  }
  return material;
}

function pem(part: string | Uint8Array): string | Buffer {
  return typeof part === 'string' ? part : Buffer.from(part);
}

function readRegistry(registry: Registry<object> | undefined): Registry<object> {
  if (registry === undefined) return createRegistry({}) as Registry<object>;
  if (typeof registry?.typeByName === 'function') return registry;
  throw badOption('registry', registry, 'what createRegistry returns');
}

function readLogger(logger: Logger | undefined, level: LogLevel | undefined): Logger {
  if (logger === undefined) return createLogger(oneOf('logLevel', level ?? 'warn', LOG_LEVELS));
  if (level !== undefined) throw badOption('logLevel', level, 'nothing beside a logger of yours');
  const isLogger =
    (['info', 'warn', 'error'] as const).every((name) => typeof logger?.[name] === 'function') &&
    (logger.debug === undefined || typeof logger.debug === 'function');
  if (!isLogger) throw badOption('logger', logger, 'an object with info, warn and error');
  return logger;
}

function readMetrics(metrics: boolean | MetricsOptions | undefined): MetricsSettings | null {
  if (metrics === undefined || metrics === false) return null;
  if (metrics === true) return { bearer: null };
  refuseUnknown('metrics.', metrics, KNOWN_METRICS);
  const { bearer = null } = metrics;
  // The value is a secret: it is not repeated in the message.
  if (bearer !== null && !(typeof bearer === 'string' && BEARER.test(bearer))) {
    throw new TransportError(
      'bad-option',
      'ggscale: metrics.bearer must be 16 to 256 visible characters of ASCII',
    );
  }
  return { bearer };
}

/** `ip:port`, IPv6 in brackets: what a connect token can carry. */
function isAddress(text: unknown): boolean {
  const match = typeof text === 'string' ? /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(text) : null;
  if (match === null) return false;
  const port = Number(match[3]);
  const isHost = match[1] === undefined ? isIP(match[2]) === 4 : isIP(match[1]) === 6;
  return isHost && port >= 1 && port <= 65535;
}

function readKey(key: Uint8Array | string | undefined): Uint8Array {
  if (key === undefined) return randomBytes(32);
  if (typeof key === 'string' && /^[0-9a-f]{64}$/i.test(key)) return Buffer.from(key, 'hex');
  if (key instanceof Uint8Array && key.length === 32) return key;
  // The value is a secret: it is not repeated in the message.
  throw new TransportError('bad-key', 'ggscale: udp.privateKey must be 32 bytes or 64 hex digits');
}

function readVerifySession(hook: VerifySession | undefined, dev: boolean): VerifySession {
  if (typeof hook === 'function') return hook;
  if (hook !== undefined) throw badOption('verifySession', hook, 'a function');
  if (dev) return (token) => ({ playerId: token });
  throw new TransportError('bad-option', 'ggscale: verifySession is required (or dev: true)');
}

function readRevalidate({ revalidate, revalidateMs }: GameServerOptions) {
  if (revalidate !== undefined && typeof revalidate !== 'function') {
    throw badOption('revalidate', revalidate, 'a function');
  }
  number('revalidateMs', revalidateMs ?? REVALIDATE_MS, 5000, 25_000);
  if (revalidate === undefined && revalidateMs !== undefined) {
    throw badOption('revalidateMs', revalidateMs, 'nothing without `revalidate`');
  }
  return { revalidate: revalidate ?? null, revalidateMs: revalidateMs ?? REVALIDATE_MS };
}

function bufferBytes(name: string, value: number | undefined): number {
  return value === undefined ? 0 : integer(name, value, 4096, BUFFER_BYTES_MAX);
}
