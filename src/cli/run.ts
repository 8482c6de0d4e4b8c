/**
 * The command line: doctor, token, keygen, generate.
 *
 * Exit codes: 0 done; 1 it failed (doctor: something does not work); 2 it was asked for wrongly.
 */
import { createRequire } from 'node:module';
import { Command, CommanderError, Option } from 'commander';
import type { DoctorOptions } from './doctor.js';
import type { GenerateOptions } from './generate.js';
import { type Io, UsageError } from './io.js';
import { keygen } from './keys.js';
import { type TokenOptions, token } from './token.js';
import { addresses, hexBytes, integer, u64 } from './values.js';

const NAME = 'ggscale-transport';
const DEFAULT_PROTOCOL_ID = 0x67677363616c6501n;

/** Resolves the exit code; everything that goes wrong has been said. */
export async function run(args: readonly string[], io: Io): Promise<number> {
  let exitCode = 0;
  const program = createProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return commanderExit(error, io);
    io.err(`${NAME}: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Help and version have been printed. Messages repeat arguments, and one may be a key. */
function commanderExit(error: CommanderError, io: Io): number {
  if (error.exitCode === 0) return 0;
  if (error.code === 'commander.help') return 2; // nothing was asked for; the help is on stderr
  const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  io.err(`${NAME}: ${message.replace(/[0-9a-f]{32,}/gi, '[redacted]')}\n`);
  return 2;
}

export function packageVersion(): string {
  const load = createRequire(import.meta.url);
  return (load('@ggscale/transport/package.json') as { version: string }).version;
}

function createProgram(io: Io, end: (exitCode: number) => void): Command {
  const program = new Command(NAME)
    .description('Tools for servers that use @ggscale/transport.')
    .version(packageVersion())
    .showSuggestionAfterError(false)
    .exitOverride()
    // Errors are said once, by `run`; help for want of a command goes where errors go.
    .configureOutput({ writeOut: io.out, writeErr: io.err, outputError: () => {} });
  addDoctor(program, io, end);
  addToken(program, io);
  addGenerate(program, io, end);
  program
    .command('keygen')
    .description('Makes a private key: 32 random bytes, as 64 hex digits.')
    .argument('[file]', 'where to write it, readable by its owner only; default: standard output')
    .allowExcessArguments(false)
    .action((file: string | undefined) => keygen(file ?? null, io));
  return program;
}

function addDoctor(program: Command, io: Io, end: (exitCode: number) => void): void {
  program
    .command('doctor')
    .description('Looks at what this machine gives to the UDP side, and what to do about the rest.')
    .option('--flows <count>', 'players to size buffers for', integer(1, 1 << 20), 4096)
    .option('--threads <count>', 'I/O threads to try', integer(0, 16), 0)
    .option('--json', 'the report as JSON')
    .allowExcessArguments(false)
    .action(async (options: DoctorOptions) => {
      const { doctor } = await import('./doctor.js');
      end(await doctor(options, packageVersion(), io));
    });
}

function addToken(program: Command, io: Io): void {
  program
    .command('token')
    .description('Mints a connect token under the private key of a server, and shows its fields.')
    .requiredOption('--address <ip:port>', 'of the server; may be given up to 32 times', addresses)
    .option('--key-file <file>', '64 hex digits; default: the variable GGSCALE_PRIVATE_KEY')
    .addOption(bigOption('--client-id <n>', 'decimal or 0x…', 1n, '1'))
    .addOption(
      bigOption(
        '--protocol-id <n>',
        'as of the server',
        DEFAULT_PROTOCOL_ID,
        `0x${DEFAULT_PROTOCOL_ID.toString(16)}`,
      ),
    )
    .option('--expires <seconds>', 'from now', integer(1, 86_400), 30)
    .option('--timeout <seconds>', 'of silence that end the connection', integer(1, 3600), 5)
    .option('--user-data <hex>', 'up to 256 bytes for the server', hexBytes(256))
    .option('--json', 'everything as JSON')
    .addOption(new Option('--key <hex>').hideHelp().argParser(refuseKey))
    .addOption(new Option('--private-key <hex>').hideHelp().argParser(refuseKey))
    .allowExcessArguments(false)
    .action((options: TokenOptions) => token(options, io));
}

function addGenerate(program: Command, io: Io, end: (exitCode: number) => void): void {
  program
    .command('generate')
    .description("Makes the TypeScript of a game's own messages from FlatBuffers schemas.")
    .argument('[schemas]', 'the folder of the .fbs files', 'schemas')
    .option('--out <folder>', 'where the TypeScript goes', 'src/messages')
    .option('--check', 'write nothing; fail when the files are not what the schemas make')
    .allowExcessArguments(false)
    .action(async (schemas: string, options: GenerateOptions) => {
      const { generate } = await import('./generate.js');
      end(await generate(schemas, options, io));
    });
}

/** The help cannot show a bigint by itself. */
function bigOption(flags: string, what: string, value: bigint, shown: string): Option {
  return new Option(flags, what).argParser(u64).default(value, shown);
}

function refuseKey(): never {
  throw new UsageError(
    'a key on the command line can be read by everybody on the machine: use --key-file or ' +
      'GGSCALE_PRIVATE_KEY',
  );
}
