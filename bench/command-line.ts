/** What the command lines of the benches have in common: a mistake is told in one line. */
import { type Command, CommanderError, type OptionValues } from 'commander';

/** Shown as one line on stderr; the program ends with `exitCode`. */
export class UsageError extends Error {
  constructor(
    message: string,
    readonly exitCode = 2,
  ) {
    super(message);
  }
}

/**
 * The values of the options, which are also in `program`.
 *
 * @throws UsageError also, without a message, when help or a version has been printed
 */
export function parseOptions(program: Command, args: readonly string[]): OptionValues {
  program
    .allowExcessArguments(false)
    .showSuggestionAfterError(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} }); // the caller says it, once
  try {
    program.parse([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) throw new UsageError('', 0);
    throw new UsageError(error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' '));
  }
  return program.opts();
}
