/**
 * Verbs that read a journal's file, in a process that can be spared.
 *
 * A damaged LMDB file kills the process that reads it. So the program runs itself once more, in the same terminal,
 * and whoever waits for it lives to say what happened.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { EXIT, Failure, type Outcome } from '../exit.ts';
import type { Invocation, Verb } from './verb.ts';

/** Set in the process that can be spared. */
export const SPARE_PROCESS = 'MDEVFLEET_SPARE_PROCESS';
/** Signals by which somebody ends us; all others are the file's doing. */
const ASKED: readonly (NodeJS.Signals | null)[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL', 'SIGPIPE'];

/** The verb, behind a guard where it reads a journal's file. */
export function guarded(verb: Verb, readsJournal: (invocation: Invocation) => boolean): Verb {
  return (invocation) => {
    const bare = process.env[SPARE_PROCESS] !== undefined || !readsJournal(invocation);
    return bare ? verb(invocation) : runSpare();
  };
}

async function runSpare(): Promise<Outcome> {
  const env = { ...process.env, [SPARE_PROCESS]: '1' };
  const child = spawn(process.execPath, process.argv.slice(1), { env, stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  try {
    const [status, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (status !== null) return outcomeWith(status);
    if (ASKED.includes(signal)) return 'incomplete';
    throw new Failure(`reading the journal: it ended in ${signal}, so the file is damaged`, {
      outcome: 'damaged',
      wayOut: 'see what `mdevfleet verify` says of it; --from stream may still have what was recorded',
    });
  } finally {
    process.off('SIGINT', pass).off('SIGTERM', pass);
  }
}

/** What the other process has said already is not said again. */
function outcomeWith(status: number): Outcome {
  const found = Object.entries(EXIT).find(([, number]) => number === status);
  return (found?.[0] as Outcome | undefined) ?? 'unexpected';
}
