/**
 * `--from`: where the verbs about the past read it: the fleet's stream, journals of this machine, or exported files.
 */
import type { HostId } from '../../events/names.ts';
import { Misfit } from '../../store/journal/replay.ts';
import { type Flags, required, type Settings } from '../config.ts';
import { Failure, type Outcome } from '../exit.ts';
import { exportSource, JournalSource, journalsIn, type Source, streamSource } from '../past/source.ts';
import { guarded } from './guarded.ts';
import { type Fleet, withFleet } from './open.ts';
import type { Invocation, Verb } from './verb.ts';

const STREAM = 'stream';
const JOURNAL = 'journal';

/** What a verb about the past works with; `fleet` is null where no fleet is asked. */
export type Opened = { readonly source: Source; readonly fleet: Fleet | null };

type Work = (opened: Opened) => Promise<Outcome>;

/** A verb that reads the past, by `--from`. Reading journals, it runs where it can be spared. */
export function pastVerb(
  verb: (invocation: Invocation, open: (work: Work) => Promise<Outcome>) => Promise<Outcome>,
): Verb {
  const run: Verb = (invocation) => verb(invocation, (work) => withSource(invocation, work));
  return guarded(run, ({ flags }) => fromOf(flags['from']).includes(JOURNAL));
}

/**
 * The host that was asked for. MDEVFLEET_HOST says which host this is, and must not hide the others from whoever
 * looks at the fleet from it.
 */
export function hostFlag(flags: Flags): HostId | undefined {
  return flags['host'] as HostId | undefined;
}

function fromOf(given: unknown): readonly string[] {
  return Array.isArray(given) ? given : [STREAM];
}

async function withSource({ settings, flags }: Invocation, work: Work): Promise<Outcome> {
  const from = fromOf(flags['from']);
  const [first = STREAM] = from;
  if (from.length > 1 && from.some((one) => one === STREAM || one === JOURNAL)) {
    throw new Failure(`reading the past: --from ${from.join(' and ')} cannot be read as one`, {
      outcome: 'usage',
      wayOut: 'give stream, or journal, or only files',
    });
  }
  switch (first) {
    case STREAM:
      return withFleet(settings, (fleet) => work({ source: streamOf(fleet), fleet }));
    case JOURNAL:
      return withJournals(settings, flags, work);
    default:
      return withFiles(from, work);
  }
}

function streamOf({ streams, prefix }: Fleet): Source {
  return streamSource({ stream: streams.observed, prefix });
}

async function withJournals(settings: Settings, flags: Flags, work: Work): Promise<Outcome> {
  const data = required(settings, 'data');
  const host = hostFlag(flags);
  const places = journalsIn(data, host);
  if (places.length === 0) {
    const whose = host === undefined ? '' : ` of host ${host}`;
    throw new Failure(`reading the journal${whose}: there is none in ${data}`, {
      outcome: 'usage',
      wayOut: 'check --host and --data',
    });
  }
  try {
    const source = new JournalSource(places, { snapshots: flags['snapshots'] !== false });
    try {
      return await work({ source, fleet: null });
    } finally {
      await source.close();
    }
  } catch (cause) {
    throw isDamage(cause) ? damaged(data, cause) : cause;
  }
}

/** How LMDB begins what it says of a file in which it has lost its way. */
const LMDB = /^MDB_(CORRUPTED|INVALID|PAGE_NOTFOUND|VERSION_MISMATCH|PANIC|BAD)/;

function isDamage(error: unknown): error is Error {
  return error instanceof Misfit || (error instanceof Error && LMDB.test(error.message));
}

function damaged(data: string, cause: Error): Failure {
  return new Failure(`reading the journals in ${data}: ${cause.message}`, {
    outcome: 'damaged',
    wayOut: 'see what `mdevfleet verify` says; --from stream may still have what was recorded',
    cause,
  });
}

async function withFiles(paths: readonly string[], work: Work): Promise<Outcome> {
  try {
    return await work({ source: exportSource(paths), fleet: null });
  } catch (cause) {
    throw unreadable(paths, cause);
  }
}

function unreadable(paths: readonly string[], cause: unknown): unknown {
  const isSystems = cause instanceof Error && 'syscall' in cause;
  if (!isSystems && !(cause instanceof Misfit)) return cause;
  return new Failure(`reading ${paths.join(', ')}: ${cause.message}`, {
    outcome: cause instanceof Misfit ? 'damaged' : 'input',
    wayOut: 'give --from the path of a file that `mdevfleet export journal` wrote, or stream, or journal',
    cause,
  });
}
