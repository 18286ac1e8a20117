/**
 * Programs that run until they are ended, by the test or with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Starts one; resolves when it says, on its standard error, what is awaited, and throws what it said when it ends before. */
export async function start(
  awaited: string,
  command: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<ChildProcess> {
  const program = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  const up = new Promise<void>((resolve, reject) => {
    createInterface({ input: program.stderr }).on('line', (line) => {
      said.push(line);
      if (line.includes(awaited)) resolve();
    });
    program.once('error', reject);
    program.once('close', () => reject(new Error(`${command.join(' ')} ended:\n${said.join('\n')}`)));
  });
  await up;
  return program;
}

/** Asks one to end, and gives its exit status. */
export async function end(program: ChildProcess): Promise<number | null> {
  const ended = once(program, 'exit');
  program.kill('SIGTERM');
  await ended;
  return program.exitCode;
}
