/**
 * The helper: a process that touches what may never return, so that the agent need not.
 *
 * It says `ok` once it is up, then does one task at a time, told in a line of JSON on its
 * standard input, and answers in one on its standard output. Everything is done synchronously: while a write hangs, so does
 * this process, and nothing else. It ends when its input does, that is with its agent, unless
 * a write keeps it. It imports next to nothing, since it has to be up in no time.
 */
import { readSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { type Answer, OK, type Order } from './order.ts';
import { perform } from './perform.ts';
import { Mark } from './writer-marks.ts';

const STDIN = 0;
const STDOUT = 1;
const CHUNK_BYTES = 64 * 1024;

/**
 * Serves orders until they end, or until the agent that gave them is gone.
 *
 * An order may have been given by an agent that died before it was heard. The mark stands
 * before the agent is looked for, so its successor either finds the mark, or nothing is written.
 */
function serve(agentPid: number, mark: Mark): void {
  for (const line of lines(STDIN)) {
    const { task, uuid } = JSON.parse(line) as Order;
    const written = task.op === 'read-attributes' ? null : uuid;
    if (written !== null) mark.set(written);
    if (process.ppid !== agentPid) return;
    const answer = perform(task);
    if (written !== null) mark.set(null);
    tell(answer);
  }
}

function* lines(input: number): Generator<string> {
  // Latin-1 keeps bytes apart, so that a character may arrive in two parts.
  let rest = '';
  for (let chunk = hear(input); chunk !== ''; chunk = hear(input)) {
    rest += chunk;
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      yield Buffer.from(rest.slice(0, end), 'latin1').toString();
      rest = rest.slice(end + 1);
    }
  }
}

/** What arrives next; nothing at the end, which is also a connection that was cut. */
function hear(input: number): string {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  try {
    return chunk.toString('latin1', 0, readSync(input, chunk));
  } catch {
    return '';
  }
}

/** The agent may be gone meanwhile; the end of the input will tell. */
function tell(answer: Answer): void {
  try {
    writeSync(STDOUT, `${JSON.stringify(answer)}\n`);
  } catch {
    return;
  }
}

/** Sent to all processes of a service or a terminal; a helper ends with its agent, which lets it finish. */
const IGNORED = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

for (const signal of IGNORED) process.on(signal, () => undefined);
const [marksDir = '.', agentPid = '0'] = process.argv.slice(2);
const mark = new Mark(marksDir, process.pid);
flushCompileCache();
tell(OK);
serve(Number(agentPid), mark);
mark.remove();
