/**
 * `journal archive`: moves old records of a host's journal into packed segments beside it.
 *
 * The agent must not run: the journal's file is replaced. What the fleet has not acknowledged stays.
 */
import { hostname } from 'node:os';
import { systemClock } from '../../reconciler/clock-system.ts';
import { type Archived, archiveJournal, type IsOld } from '../../store/journal/archiving.ts';
import { lockJournal } from '../../store/journal/lock.ts';
import { checkJournal } from '../../store/journal/probe.ts';
import { archiveFolder } from '../../store/journal/segments.ts';
import { msOf, parseMoment, timeOf } from '../../store/past/moment.ts';
import { journalFolder, required } from '../config.ts';
import { Failure, type Outcome } from '../exit.ts';
import { guarded } from './guarded.ts';
import type { Invocation, Verb } from './verb.ts';

/** `archive` is all that can be done to a journal so far; the command line has checked it. */
export const journal: Verb = guarded(archive, () => true);

async function archive({ settings, flags, out }: Invocation): Promise<Outcome> {
  const isOld = oldBefore(flags['before']);
  const host = required(settings, 'host');
  const dir = journalFolder(required(settings, 'data'), host);
  await assertSound(dir, host);
  const lock = lockJournal(dir, { pid: process.pid, host: hostname(), since: systemClock.wall() });
  try {
    const done = await archiveJournal(dir, isOld);
    if (flags['json'] === true) out.json({ host, dir, folder: archiveFolder(dir), ...done });
    else for (const line of told(dir, done)) out.line(line);
    return 'ok';
  } finally {
    lock.release();
  }
}

/** As for `replay`, a moment ends before the first record of a later time, in the journal's own order. */
function oldBefore(given: unknown): IsOld {
  const moment = typeof given === 'string' ? parseMoment(given) : undefined;
  if (moment?.kind === 'seq') return ({ seq }) => seq < moment.seq;
  if (moment?.kind === 'time') return (record) => msOf(timeOf(record)) < moment.ms;
  throw new Failure('reading the arguments: --before names neither a time nor a record', {
    outcome: 'usage',
    wayOut: "give a time of RFC 3339, such as 2026-01-31T00:00:00Z, or a record's number",
  });
}

async function assertSound(dir: string, host: string): Promise<void> {
  const found = await checkJournal(dir);
  if (found.kind === 'absent')
    throw failed(host, `there is none in ${dir}`, 'usage', 'check --host and --data');
  if (found.kind === 'damaged')
    throw failed(host, found.reason, 'damaged', 'see what `mdevfleet verify` says of it; nothing was moved');
}

function failed(host: string, what: string, outcome: Failure['outcome'], wayOut: string): Failure {
  return new Failure(`archiving the journal of host ${host}: ${what}`, { outcome, wayOut });
}

const BOUNDS = {
  asked: null,
  'not-forwarded': 'what comes next is not acknowledged by the fleet',
  end: 'what comes next is needed for the last checkpoint, or is the end',
} as const;

function* told(dir: string, { from, to, bound, tail }: Archived): Generator<string> {
  if (to === from) yield `nothing was moved: records before ${from + 1} are archived, and ${whyNot(bound)}`;
  else {
    yield `moved records ${from + 1} to ${to} into ${archiveFolder(dir)}; records ${to + 1} to ${tail.seq} stay`;
    yield 'the journal was verified with them; they belong to it and must stay there';
    if (BOUNDS[bound] !== null) yield BOUNDS[bound];
  }
}

function whyNot(bound: Archived['bound']): string {
  return BOUNDS[bound] ?? 'none that stays is older';
}
