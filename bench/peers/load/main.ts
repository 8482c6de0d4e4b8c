/** A load process: `--peer` names the client, the other arguments are those of `ggscale-bench load`. */
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { tell } from '../../suite/words.js';
import { openDataChannels } from './data-channel.js';
import { LoadEngine, type LoadOptions, type OpenClient } from './engine.js';
import { openQuic } from './quic.js';
import { openUdx } from './udx.js';

const CLIENTS: Readonly<Record<string, OpenClient>> = {
  udx: openUdx,
  'data-channel': openDataChannels,
  quic: openQuic,
};

async function main(): Promise<void> {
  process.on('SIGINT', () => {}); // whoever started this process decides when it ends
  const { peer, options } = readLoadArguments();
  const open = CLIENTS[peer];
  if (open === undefined) throw new Error(`no client for ${peer}`);
  const engine = new LoadEngine(options);
  await engine.prepare(open);
  const words = createInterface({ input: process.stdin });
  words.on('line', (word) => {
    if (word === 'run') engine.run();
    else if (word === 'mark') tell(engine.mark());
    else if (word === 'pause') void engine.pause().then(tell);
    else if (word === 'connect') void engine.connect().then(tell, fail);
    else if (word === 'stop') process.exit(0);
  });
  words.on('close', () => process.exit(0));
  tell({ ready: true });
}

function readLoadArguments(): { peer: string; options: LoadOptions } {
  const { values } = parseArgs({
    strict: false, // what other loads are told too is nothing to this one
    options: {
      peer: { type: 'string' },
      server: { type: 'string' },
      flows: { type: 'string' },
      hz: { type: 'string' },
      window: { type: 'string' },
      'payload-bytes': { type: 'string', default: '100' },
      sleep: { type: 'boolean', default: false },
    },
  });
  const [host, port] = String(values.server).split(':');
  const options = {
    host,
    port: Number(port),
    flows: Number(values.flows),
    hz: Number(values.hz),
    window: Number(values.window),
    payloadBytes: Number(values['payload-bytes']),
    sleeps: values.sleep === true,
  };
  return { peer: String(values.peer), options };
}

function fail(error: Error): void {
  console.error(`load: ${error.message}`);
  process.exit(1);
}

main().catch(fail);
