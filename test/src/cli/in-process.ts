/**
 * Runs the program as `run.ts` does, but in this process, for tests that ask many questions.
 */
import { Readable } from 'node:stream';
import { CommanderError } from 'commander';
import { errorLines, outcomeOf } from '../../../src/cli/failures.ts';
import { Output } from '../../../src/cli/output.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { type Env, readSettings } from '../../../src/config.ts';
import { EXIT } from '../../../src/exit.ts';
import type { Ran } from './run.ts';

export type InProcessOptions = {
  readonly env?: Env;
  /** Is told what was thrown, before it is printed. */
  readonly onError?: (error: unknown) => void;
  /** What people type; given, they sit at a terminal. */
  readonly typed?: Iterable<string> | AsyncIterable<string>;
};

/** Runs `mdevfleet ...args`; what reads journals runs here, too. */
export async function runInProcess(
  args: readonly string[],
  { env = {}, onError, typed }: InProcessOptions = {},
): Promise<Ran> {
  const said = { stdout: '', stderr: '' };
  const isTTY = typed !== undefined;
  const sink = (name: keyof typeof said) => ({
    isTTY,
    write(text: string): void {
      said[name] += text;
    },
  });
  const [stdout, stderr] = [sink('stdout'), sink('stderr')];
  const stdin = () => Object.assign(Readable.from(typed ?? []), { isTTY });
  const out = new Output(stdout, stderr, stdin);
  let status: number = EXIT.ok;
  const program = buildProgram('0', async (load, rest, flags) => {
    const settings = readSettings(flags, env);
    const verb = await load();
    status = EXIT[await verb({ settings, args: rest, flags, out })];
  });
  for (const command of [program, ...program.commands])
    command.configureOutput({ writeOut: stdout.write, writeErr: stderr.write });
  process.env['MDEVFLEET_SPARE_PROCESS'] = '1';
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    onError?.(error);
    if (error instanceof CommanderError) status = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    else {
      said.stderr += `${errorLines(error, { terminal: false, verbose: false }).join('\n')}\n`;
      status = EXIT[outcomeOf(error)];
    }
  } finally {
    delete process.env['MDEVFLEET_SPARE_PROCESS'];
  }
  return { status, ...said };
}
