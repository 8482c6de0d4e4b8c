/** T14, T15, T17, T27: addresses that change, addresses that lie, servers that start again. */
import { SERVER_RING_SIZES, SimRings } from '../../addon/sim-rings.js';
import { MODE_RELIABLE_ORDERED, MODE_UNRELIABLE_SEQUENCED } from '../../protocol/api.js';
import type { Fault } from '../fault.js';
import type { NativeNode } from '../native/native-node.js';
import { NativeWorld } from '../native/native-world.js';
import { PROTOCOL_ID, SERVER_ADDRESS, TokenMint, UNIX_S } from '../native/tokens.js';
import { pathOf, roundTripUs } from '../network/profile.js';
import type { Ledger } from '../oracle/ledger.js';
import { SteadyWorkload, Together } from '../workload/steady.js';
import type { MakeWorkload } from '../workload/workload.js';
import { nativeConfig, nativeWorld, playNative } from './native-tools.js';
import { ms, type Outcome, type Scenario } from './scenario.js';
import { seedOf, variedProtocol } from './variation.js';

const SECOND_US = 1_000_000;
const TICK_US = 16_667;
const TIMEOUT_S = 5;

/** Snapshots or inputs at 60 Hz, and something reliable beside them. */
function game(talkUs: number): MakeWorkload {
  return (_flow, _isClient, fromUs) =>
    new Together([
      new SteadyWorkload({
        mode: MODE_UNRELIABLE_SEQUENCED,
        bytes: 100,
        intervalUs: TICK_US,
        fromUs,
        toUs: talkUs,
      }),
      new SteadyWorkload({
        mode: MODE_RELIABLE_ORDERED,
        bytes: 60,
        intervalUs: 100_000,
        fromUs,
        toUs: talkUs,
      }),
    ]);
}

function rebindsFrom(fromUs: number, toUs: number, what: 'port' | 'address'): Fault[] {
  const faults: Fault[] = [];
  for (let atUs = fromUs; atUs < toUs; atUs += 5 * SECOND_US) {
    faults.push({ kind: 'rebind', client: 0, what, fromUs: atUs });
  }
  return faults;
}

export const rebindBase: Scenario = {
  id: 'T14-base',
  title: 'rebind of port and address, base netcode',
  conditions: 'without NX; the NAT forgets the client at 1 s; timeout 5 s; RTT 80 ms',
  criterion: 'clean timeout within ± 10 %, and the client is back',
  run(): Outcome {
    const talkUs = 12 * SECOND_US;
    let [least, most] = [Number.POSITIVE_INFINITY, 0];
    let back = 0;
    for (const what of ['port', 'address'] as const) {
      const world = nativeWorld({
        seed: what === 'port' ? 1 : 2,
        path: pathOf({ delayUs: 40_000 }),
        timeoutS: TIMEOUT_S,
        nx: 'off',
        faults: [{ kind: 'rebind', client: 0, what, fromUs: SECOND_US }],
        workload: game(talkUs),
        redials: true,
      });
      const [near] = world.clientEnds();
      world.run(2 * SECOND_US + TIMEOUT_S * SECOND_US);
      const tookUs = near.closedUs - SECOND_US;
      [least, most] = [Math.min(least, tookUs), Math.max(most, tookUs)];
      world.run(talkUs);
      if (near.isOpen && near.in.delivered > 0 && world.flows.length === 2) back += 1;
      playNative(world, talkUs);
    }
    return {
      passed: least >= 4.5 * SECOND_US && most <= 5.5 * SECOND_US && back === 2,
      measured: { 'timed out after': `${ms(least)} … ${ms(most)}`, back: `${back} of 2` },
    };
  },
};

/** The same with NX, where nothing should be noticed. */
function rebindNx(what: 'port' | 'address'): Outcome {
  const talkUs = 22 * SECOND_US;
  const path = pathOf({ delayUs: 40_000 });
  const world = nativeWorld({
    seed: 3,
    path,
    faults: rebindsFrom(SECOND_US, talkUs, what),
    workload: game(talkUs),
    serverTickUs: TICK_US,
  });
  playNative(world, talkUs);
  const [{ up, down }] = world.flows;
  const gapUs = Math.max(longestGap(up, talkUs), longestGap(down, talkUs)) - TICK_US;
  const allowedUs = roundTripUs(path) + TICK_US;
  return {
    passed: world.flows.length === 1 && gapUs <= allowedUs,
    measured: {
      'longest gap': ms(gapUs),
      allowed: ms(allowedUs),
      connections: String(world.flows.length),
    },
  };
}

/** The longest time between deliveries of the sequenced stream, up to `untilUs`. */
function longestGap(ledger: Ledger, untilUs: number): number {
  const times: number[] = [];
  for (let number = 0; number < ledger.count; number++) {
    const isSnapshot = (ledger.streams[number] & 3) === MODE_UNRELIABLE_SEQUENCED;
    if (isSnapshot && ledger.deliveredUs[number] >= 0) times.push(ledger.deliveredUs[number]);
  }
  times.push(untilUs);
  let longest = 0;
  for (let i = 1; i < times.length; i++) longest = Math.max(longest, times[i] - times[i - 1]);
  return longest;
}

const REBINDS = 'the NAT moves it at 1 s, then every 5 s; RTT 80 ms, server at 60 Hz';
const UNNOTICED = 'gap ≤ 1 RTT + 1 tick, one connection, no reliable loss';

export const rebindPort: Scenario = {
  id: 'T14',
  title: 'rebind of the port',
  conditions: REBINDS,
  criterion: UNNOTICED,
  run: () => rebindNx('port'),
};

export const rebindAddress: Scenario = {
  id: 'T15',
  title: 'rebind of the address',
  conditions: REBINDS,
  criterion: UNNOTICED,
  run: () => rebindNx('address'),
};

const SPOOFED = '198.51.100.7:7777';

/** An attacker nearer to the server gives it every datagram of the client from his own address. */
class RacingWorld extends NativeWorld {
  bytesIn = 0;
  bytesOut = 0;

  override route(from: NativeNode, packet: number, address: string): void {
    if (address === SPOOFED) this.bytesOut += this.packets.length[packet];
    const isUp = from.index > 0 && this.nowUs > SECOND_US;
    const twin = isUp ? this.packets.copy(packet) : -1;
    super.route(from, packet, address);
    if (!isUp) return;
    this.bytesIn += this.packets.length[twin];
    this.inject(twin, SPOOFED, this.nowUs + this.leastUpUs[0]);
  }
}

export const spoofedPath: Scenario = {
  id: 'T17-path',
  title: 'amplification on a path that is not proven',
  conditions: 'every datagram of a live client comes first from a spoofed address, for 9 s',
  criterion: 'at most 3 bytes out for one in; the connection goes on',
  run(): Outcome {
    const talkUs = 10 * SECOND_US;
    // The copies take the least time that there is, so that most of them win the race.
    const path = pathOf({ delayUs: 40_000, jitterUs: 5_000 });
    const config = nativeConfig({ seed: 4, path, workload: game(talkUs) });
    const world = new RacingWorld(config, null, variedProtocol());
    playNative(world, talkUs);
    const share = world.bytesOut / world.bytesIn;
    const [{ down }] = world.flows;
    return {
      passed: share <= 3 && world.bytesOut > 0 && world.flows.length === 1,
      measured: {
        'out per byte in': share.toFixed(2),
        'challenged bytes': String(world.bytesOut),
        'longest gap': ms(longestGap(down, talkUs)),
      },
    };
  },
};

export const amplification: Scenario = {
  id: 'T17',
  title: 'amplification, base netcode',
  conditions: '300 spoofed sources: requests with good tokens, repeated, with bad ones, garbage',
  criterion: 'to no source more bytes than came from it',
  run(): Outcome {
    const mint = new TokenMint(seedOf(17), TIMEOUT_S, 60);
    const server = simRings('server', mint.privateKey);
    const bytesIn = new Map<string, number>();
    const bytesOut = new Map<string, number>();
    const out = new Uint8Array(2048);
    let nowUs = 1_000_000;
    for (let source = 0; source < 300; source++) {
      const address = `198.51.${100 + (source >> 6)}.${source & 63}:${5000 + source}`;
      const request = requestOf(mint.mint(source, source, UNIX_S), source);
      if (source % 3 === 1) request[200] ^= 1;
      const garbage = request.subarray(0, 20 + source);
      for (let round = 0; round < 4; round++) {
        nowUs += 25_000;
        server.native.setTime(nowUs);
        for (const datagram of [request, garbage, request]) {
          server.native.inject(address, datagram);
          add(bytesIn, address, datagram.length);
        }
        server.drain();
        server.rxRelease();
        server.flush();
        server.native.service();
        for (;;) {
          const sent = server.native.pollTransmit(out);
          if (sent === null) break;
          add(bytesOut, sent.address, sent.length);
        }
      }
    }
    let worst = 0;
    let answered = 0;
    for (const [address, bytes] of bytesOut) {
      worst = Math.max(worst, bytes / (bytesIn.get(address) ?? 0));
      answered += 1;
    }
    return {
      passed: worst <= 1 && answered > 0,
      measured: { 'most out per byte in': worst.toFixed(3), 'sources answered': String(answered) },
    };
  },
};

function add(sums: Map<string, number>, address: string, bytes: number): void {
  sums.set(address, (sums.get(address) ?? 0) + bytes);
}

function simRings(role: 'server' | 'client', privateKey: Uint8Array, seed = 1): SimRings {
  const common = {
    role,
    seed,
    startUs: 1_000_000,
    unixS: UNIX_S,
    maxFlows: 512,
    maxPayloadBytes: 1200,
    tickIntervalUs: 0,
  };
  if (role === 'client') return new SimRings({ ...common, maxFlows: 1 });
  const addresses = [SERVER_ADDRESS];
  return new SimRings(
    { ...common, protocolId: PROTOCOL_ID, privateKey, serverAddresses: addresses },
    SERVER_RING_SIZES,
  );
}

/** The first datagram of a client with this token. */
function requestOf(token: Uint8Array, seed: number): Uint8Array {
  const client = simRings('client', token, seed);
  client.connect(token);
  client.drain();
  client.flush();
  client.native.service();
  const out = new Uint8Array(2048);
  const sent = client.native.pollTransmit(out);
  return out.slice(0, sent?.length ?? 0);
}

export const restart: Scenario = {
  id: 'T27',
  title: 'server restart',
  conditions:
    'the process dies at 5 s and another starts; tokens live 60 s and may not live longer',
  criterion: 'old tokens are refused, new ones are fine',
  run(): Outcome {
    const talkUs = 30 * SECOND_US;
    const world = nativeWorld({
      seed: 27,
      path: pathOf({ delayUs: 20_000 }),
      clientCount: 3,
      timeoutS: 3,
      tokenLifeS: 60,
      maxTokenLifetimeS: 60,
      // A token of the second in which the server started cannot be told from an older one.
      dialUs: 2 * SECOND_US,
      workload: game(talkUs),
    });
    world.run(4 * SECOND_US);
    const connectedBefore = openClients(world);
    const [near] = world.clientEnds();
    const stale = world.mint.mint(near.client + 1, world.flows.length, near.node.unixS);
    world.run(5 * SECOND_US);
    world.restartServer();
    world.run(10 * SECOND_US);
    const timedOut = world.clientEnds().filter((end) => end.closeReason.endsWith('timeout')).length;
    near.node.setTime();
    world.dial(near, stale);
    near.node.after();
    world.run(16 * SECOND_US);
    const isRefused = !near.isOpen && near.openedUs < 5 * SECOND_US;
    const refused = world.nodes[0].endpoint.drops()['token-before-start'];
    for (const end of world.clientEnds()) {
      end.node.setTime();
      world.dial(end);
      end.node.after();
    }
    world.run(20 * SECOND_US);
    const connectedAfter = openClients(world);
    playNative(world, talkUs);
    return {
      passed:
        connectedBefore === 3 && timedOut === 3 && isRefused && refused > 0 && connectedAfter === 3,
      measured: {
        'timed out': `${timedOut} of 3`,
        'old token': `${isRefused ? 'refused' : 'taken'} (token-before-start ${refused})`,
        'new tokens': `${connectedAfter} of 3 connected`,
      },
    };
  },
};

function openClients(world: NativeWorld): number {
  return world.clientEnds().filter((end) => end.isOpen && end.isReady).length;
}
