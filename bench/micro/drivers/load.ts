/**
 * The players: sends at given times, open loop, from many flows, and takes the round trip from the
 * moment of sending to the kernel's stamp of the answer. It never sleeps while it measures, so that
 * neither its wakes nor its pauses are in the figures: give it a core of its own.
 */
import { once } from 'node:events';
import { createConnectToken, Endpoint } from '../../../src/addon/index.js';
import { RX_OPENED, RX_PAYLOAD, TX_PAYLOAD } from '../../../src/addon/layout.js';
import { BUFFER_BYTES } from '../../suite/servers/limits.js';
import { type LoadOrder, type LoadReading, type LoadSetup, PROTOCOL_ID } from './messages.js';

const PAYLOAD_BYTES = 100;
const HISTOGRAM_US = 50_000;
const SETTLE_US = 50_000;

class Load {
  readonly #endpoint: Endpoint;
  readonly #flows: { slot: number; generation: number }[] = [];
  readonly #histogram = new Uint32Array(HISTOGRAM_US + 1);
  #next = 0;
  #answered = 0;

  constructor() {
    this.#endpoint = Endpoint.openClient(
      {
        host: '0.0.0.0',
        maxFlows: 1024,
        // Its turns are taken by hand; ticks only keep the sockets from being watched.
        driver: 'tick',
        tickIntervalUs: 5_000,
        receiveBufferBytes: BUFFER_BYTES,
        sendBufferBytes: BUFFER_BYTES,
      },
      () => this.#turn(),
    );
  }

  async connect({ port, key, flows }: LoadSetup): Promise<void> {
    for (let i = 0; i < flows; i++) {
      const token = createConnectToken({
        protocolId: PROTOCOL_ID,
        privateKey: Uint8Array.from(key),
        clientId: BigInt(i),
        serverAddresses: [`127.0.0.1:${port}`],
        expireSeconds: 60,
        timeoutSeconds: 10,
      });
      this.#endpoint.connect(token, `127.1.${i >> 7}.${(i & 127) + 1}`);
    }
    while (this.#flows.length < flows) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  run({ ratePerS, seconds }: LoadOrder): LoadReading {
    this.#histogram.fill(0);
    this.#answered = 0;
    const gapUs = 1e6 / ratePerS;
    const total = Math.round(ratePerS * seconds);
    const startUs = this.#endpoint.clockUs();
    let sent = 0;
    // Gaps from half to one and a half: no two clients agree on their phase.
    let atUs = gapUs;
    while (sent < total) {
      const nowUs = (this.#endpoint.clockUs() - startUs) | 0;
      if (nowUs >= atUs) {
        this.#send();
        sent++;
        atUs += gapUs * (0.5 + ((sent * 7919) % 1000) / 1000);
        this.#endpoint.flush();
      }
      this.#receive();
    }
    const lastUs = this.#endpoint.clockUs();
    while (((this.#endpoint.clockUs() - lastUs) | 0) < SETTLE_US) this.#receive();
    return { sent, answered: this.#answered, ...this.#percentiles() };
  }

  #send(): void {
    const { view, bytes } = this.#endpoint;
    const at = this.#endpoint.txReserve(PAYLOAD_BYTES);
    if (at < 0) return;
    bytes.fill(0x5a, at, at + PAYLOAD_BYTES);
    view.setInt32(at, this.#endpoint.clockUs(), true);
    const { slot, generation } = this.#flows[this.#next];
    this.#next = (this.#next + 1) % this.#flows.length;
    this.#endpoint.txCommit(TX_PAYLOAD, slot, generation, PAYLOAD_BYTES);
  }

  #turn(): void {
    this.#receive();
    this.#endpoint.flush();
  }

  #receive(): void {
    const endpoint = this.#endpoint;
    endpoint.drain();
    while (endpoint.rxPoll()) {
      const { kind, slot, generation, offset, arrivalUs } = endpoint;
      if (kind === RX_OPENED) this.#flows.push({ slot, generation });
      if (kind !== RX_PAYLOAD) continue;
      const tripUs = (arrivalUs - endpoint.view.getInt32(offset, true)) | 0;
      this.#histogram[Math.min(Math.max(tripUs, 0), HISTOGRAM_US)]++;
      this.#answered++;
    }
    endpoint.rxRelease();
  }

  #percentiles(): { p50: number; p99: number; max: number } {
    const at = (share: number) => {
      let left = Math.ceil(this.#answered * share);
      for (let us = 0; us <= HISTOGRAM_US; us++) {
        left -= this.#histogram[us];
        if (left <= 0) return us;
      }
      return HISTOGRAM_US;
    };
    return { p50: at(0.5), p99: at(0.99), max: at(1) };
  }
}

async function main(): Promise<void> {
  process.on('disconnect', () => process.exit());
  const load = new Load();
  const [setup] = (await once(process, 'message')) as [LoadSetup];
  await load.connect(setup);
  process.on('message', (order: LoadOrder) => process.send?.(load.run(order)));
  process.send?.('connected');
}

await main();
