#!/usr/bin/env node
/**
 * The program: reads the command line, runs the verb, and says how that ended.
 *
 * Whatever fails ends here as one message on stderr and an exit status, never as a stack trace.
 */
import { CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { Output } from './cli/output.ts';
import { buildProgram } from './cli/program.ts';
import { EXIT } from './exit.ts';

const out = new Output(process.stdout, process.stderr, () => process.stdin);
const program = buildProgram(manifest.version, async (load, args, flags) => {
  const { readSettings } = await import('./config.ts');
  const settings = readSettings(flags, process.env);
  const verb = await load();
  process.exitCode = EXIT[await verb({ settings, args, flags, out })];
});

/** What knows all errors knows all adapters, so it is loaded only when needed. */
async function fail(error: unknown): Promise<void> {
  const failures = await import('./cli/failures.ts').catch(() => null);
  if (failures === null) return failIncomplete(error);
  const { errorLines, outcomeOf } = failures;
  const view = { terminal: process.stderr.isTTY === true, verbose: program.opts()['verbose'] === true };
  process.stderr.write(`${errorLines(error, view).join('\n')}\n`);
  process.exitCode = EXIT[outcomeOf(error)];
}

/** Not even what knows all errors can be loaded, so what failed was most likely loading too. */
function failIncomplete(error: unknown): void {
  process.stderr.write(
    `error: ${String(error)}\n  mdevfleet is not whole on this machine: install it again\n`,
  );
  process.exitCode = EXIT.unexpected;
}

/** Commander has said what is wrong; asking for help is not wrong, but asking for nothing is. */
function endOfParsing({ exitCode }: CommanderError): void {
  process.exitCode = exitCode === 0 ? EXIT.ok : EXIT.usage;
}

/** Whoever read our output has gone: nothing is left to do. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? EXIT.ok : EXIT.unexpected);
});
process.on('uncaughtException', (error) => {
  void fail(error).finally(() => process.exit());
});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) endOfParsing(error);
  else await fail(error);
}
