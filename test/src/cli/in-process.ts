/**
 * Runs the program as `run.ts` does, but in this process, for tests that ask many questions.
 */
import { errorLines, outcomeOf } from '../../../src/cli/failures.ts';
import { Output } from '../../../src/cli/output.ts';
import { buildProgram } from '../../../src/cli/program.ts';
import { readSettings } from '../../../src/config.ts';
import { EXIT } from '../../../src/exit.ts';
import type { Ran } from './run.ts';

/** Runs `mdevfleet ...args`; what reads journals runs here, too. */
export async function runInProcess(args: readonly string[]): Promise<Ran> {
  const said = { stdout: '', stderr: '' };
  const sink = (name: keyof typeof said) => ({
    write(text: string): void {
      said[name] += text;
    },
  });
  const out = new Output(sink('stdout'), sink('stderr'));
  let status: number = EXIT.ok;
  const program = buildProgram('0', async (load, rest, flags) => {
    const verb = await load();
    status = EXIT[await verb({ settings: readSettings(flags, {}), args: rest, flags, out })];
  });
  process.env['MDEVFLEET_SPARE_PROCESS'] = '1';
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    said.stderr += `${errorLines(error, { terminal: false, verbose: false }).join('\n')}\n`;
    status = EXIT[outcomeOf(error)];
  } finally {
    delete process.env['MDEVFLEET_SPARE_PROCESS'];
  }
  return { status, ...said };
}
