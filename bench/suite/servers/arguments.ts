/** The command line of a server process; written by runner code, so it is read without ceremony. */
import { parseArgs } from 'node:util';

export interface ServerArguments {
  host: string;
  flows: number;
  tickHz: number;
  /** Empty: the product's default. */
  driver: string;
  isFast: boolean;
  /** Bytes of text in each Bulk message; 0: none is sent. */
  bulkBytes: number;
}

export function readArguments(args: readonly string[] = process.argv.slice(2)): ServerArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      flows: { type: 'string', default: '1' },
      'tick-hz': { type: 'string', default: '0' },
      driver: { type: 'string', default: '' },
      fast: { type: 'boolean', default: false },
      'bulk-bytes': { type: 'string', default: '0' },
    },
  });
  return {
    host: values.host,
    flows: Number(values.flows),
    tickHz: Number(values['tick-hz']),
    driver: values.driver,
    isFast: values.fast,
    bulkBytes: Number(values['bulk-bytes']),
  };
}
