/**
 * `rebuild`: makes a host's lost journal again from what the fleet has of it.
 */
import { hostname } from 'node:os';
import { decodeRecord } from '../../events/record.ts';
import { lockJournal } from '../../store/journal/lock.ts';
import { restoreJournal } from '../../store/journal/restore.ts';
import { lastWitness, recordsWitnessed, type Testimony, type Witness } from '../../store/witness.ts';
import { journalFolder, required } from '../config.ts';
import { Failure, type Outcome } from '../exit.ts';
import { type Fleet, withFleet } from './open.ts';
import type { Invocation } from './verb.ts';

export async function rebuild({ settings, flags, out }: Invocation): Promise<Outcome> {
  const host = required(settings, 'host');
  const dir = journalFolder(required(settings, 'data'), host);
  return withFleet(settings, async (fleet): Promise<Outcome> => {
    const { last, testimony } = await witnessOf(fleet, host);
    const lock = lockJournal(dir, { pid: process.pid, host: hostname(), since: fleet.clock.wall() });
    try {
      const until = { time: '' };
      const made = await restoreJournal(dir, timed(recordsWitnessed(testimony, last.journal), until));
      if (made.tail.seq < last.seq) out.warn(cutShort(made.tail.seq, last.seq));
      if (flags['json'] === true) out.json({ host, dir, ...made, until: until.time });
      else for (const line of told(host, made, until.time)) out.line(line);
      return 'ok';
    } finally {
      lock.release();
    }
  });
}

type Made = Awaited<ReturnType<typeof restoreJournal>>;

async function witnessOf(fleet: Fleet, host: string): Promise<{ last: Witness; testimony: Testimony }> {
  const testimony = { stream: fleet.streams.observed, host, prefix: fleet.prefix };
  const last = await lastWitness(testimony);
  if (last !== undefined) return { last, testimony };
  throw new Failure(`rebuilding the journal of host ${host}: the fleet was never told of one`, {
    outcome: 'input',
    wayOut: 'check --host; a host of which nothing was ever reported begins a journal when its agent starts',
  });
}

function cutShort(made: number, last: number): string {
  return `record ${made + 1} is missing from the stream, or was changed there: what follows it, up to ${last}, is left out`;
}

/** Notes the time of the last record that passes. */
async function* timed<R extends { readonly bytes: Uint8Array }>(
  records: AsyncIterable<R>,
  until: { time: string },
): AsyncGenerator<R> {
  for await (const record of records) {
    until.time = decodeRecord(record.bytes).envelope.time;
    yield record;
  }
}

function* told(host: string, { identity, tail, devices, aside }: Made, until: string): Generator<string> {
  yield `made journal ${identity.journal} of host ${host} again: ${tail.seq} records, ${devices} devices, up to ${until}`;
  yield 'what the host had recorded and not forwarded by then is lost; its holds are read back from the registry';
  if (aside !== null) yield `the journal that was begun instead is kept as ${aside}`;
  yield `start the agent of host ${host} now`;
}
