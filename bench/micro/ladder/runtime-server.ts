/**
 * The rung `socket`: real endpoint, Runtime and Protocol, a handler that sends the bytes back. Of the
 * session there is only the greeting that the load waits for; its acknowledgements are heard and dropped.
 */
import { MODE_RELIABLE_ORDERED, SEND_FULL } from '../../../src/protocol/protocol.js';
import type { RuntimeHandler } from '../../../src/runtime/handler.js';
import { openServerRuntime } from '../../../src/runtime/open.js';
import type { Runtime } from '../../../src/runtime/runtime.js';
import { DEFAULT_PROTOCOL_ID } from '../../../src/server/options.js';
import { CONTROL_CHANNEL } from '../../../src/session/limits.js';
import { readArguments } from '../../suite/servers/arguments.js';
import { BUFFER_BYTES, RATE_MAX } from '../../suite/servers/limits.js';
import { type BenchServer, serve } from '../../suite/servers/serve.js';
import { PRIVATE_KEY } from '../../suite/servers/udp-key.js';

/** Id 0 is JSON by name. */
const HELLO = new TextEncoder().encode('\0{"type":"$hello","payload":{}}');

class Echo implements RuntimeHandler {
  runtime: Runtime | null = null;
  echoed = 0;

  handleFlowReady(slot: number): void {
    const { length } = HELLO;
    const mode = MODE_RELIABLE_ORDERED;
    this.runtime?.send(slot, CONTROL_CHANNEL, mode, HELLO, 0, length, 0, 0, 0, 0);
  }

  handleMessage(
    slot: number,
    channel: number,
    mode: number,
    _messageId: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
  ): void {
    if (channel === CONTROL_CHANNEL) return;
    const runtime = this.runtime as Runtime;
    const code = runtime.send(slot, channel, mode, bytes, offset, length, 0, 0, 0, 0);
    if (code < SEND_FULL) this.echoed += 1;
  }

  handleFlowOpened(): void {}
  handleFlowClosed(): void {}
  handleRawPayload(): void {}
  handleFlowMoved(): void {}
  handleDrained(): void {}
  handleReceipt(): void {}
  handleWritable(): void {}
  handleTick(): void {}
  handleDeadline(): void {}
}

async function open(): Promise<BenchServer> {
  const { host, flows } = readArguments();
  const echo = new Echo();
  const runtime = openServerRuntime(
    {
      host,
      port: 0,
      driver: 'auto',
      threads: 0,
      affinity: [],
      tickHz: 0,
      privateKey: Buffer.from(PRIVATE_KEY, 'hex'),
      protocolId: DEFAULT_PROTOCOL_ID,
      maxTokenLifetimeS: 0,
      nx: 'allow',
      maxFlows: Math.max(4096, flows),
      receiveBufferBytes: BUFFER_BYTES,
      sendBufferBytes: BUFFER_BYTES,
      admission: { packetsPerFlow: RATE_MAX, bytesPerFlow: RATE_MAX },
      registryHash: 1,
      seed: 1,
    },
    echo,
  );
  echo.runtime = runtime;
  const address = runtime.address();
  return {
    ready: { ready: `${address.host}:${address.port}`, registryHash: 1 },
    mark: () => ({
      echoed: echo.echoed,
      nativeNs: runtime.nativeNs(),
      drops: runtime.drops(),
    }),
  };
}

void serve(open);
