/**
 * Publishes a difference: many declarations in flight, each conditional on what was read.
 *
 * What lost a race, or has an unknown outcome, is found by taking the difference again: what was
 * stored meanwhile is no difference any more. The withdrawals of a move wait for its successor.
 */

import { encodeDeclaration } from '../../events/codec.ts';
import type { Declaration, EventMeta } from '../../events/declaration.ts';
import type { Appended, Outgoing, Stream } from '../../events/stream.ts';
import { inLanes } from '../../store/lanes.ts';
import { type Change, keyOf, type Publication } from './diff.ts';

/** Times that a difference is taken before giving up. */
export const ROUNDS_MAX = 8;
/** Most declarations in flight. */
const IN_FLIGHT_MAX = 512;

/** Names an event: a new id and the time, from a source. */
export type Author = () => EventMeta;

export type Reported = Change & { readonly status: 'published' | 'unchanged' | 'unpublished' };

/** What became of every change. `stopped` says why some are not published; null when all are. */
export type Report = {
  readonly changes: readonly Reported[];
  readonly stopped: { readonly cause: unknown } | null;
};

export type Publisher = { readonly stream: Stream; readonly prefix: string; readonly author: Author };

/**
 * Publishes what `diff` finds until it finds nothing. Throws what `diff` throws the first time;
 * later, when something may have been published, that is why it stopped.
 */
export async function publishChanges(
  publisher: Publisher,
  diff: () => Promise<readonly Change[]>,
): Promise<Report> {
  const reported = new Map<string, Reported>();
  const report = (stopped: Report['stopped']): Report => ({ changes: [...reported.values()], stopped });
  let changes = await diff();
  for (let round = 1; ; round += 1) {
    for (const change of changes) note(reported, change);
    const { published, missed } = await publishRound(publisher, changes);
    for (const change of published) reported.set(keyOf(change), { ...change, status: 'published' });
    if (missed === null) return report(null);
    if (round === ROUNDS_MAX) return report(missed);
    try {
      changes = await diff();
    } catch (cause) {
      return report({ cause });
    }
  }
}

/** What was published in an earlier round stays reported as that, though it is no difference any more. */
function note(reported: Map<string, Reported>, change: Change): void {
  const open = change.publications.length > 0;
  const before = reported.get(keyOf(change));
  if (!open && before?.status === 'published') return;
  reported.set(keyOf(change), { ...change, status: open ? 'unpublished' : 'unchanged' });
}

type Round = { readonly published: readonly Change[]; readonly missed: Report['stopped'] };

async function publishRound(publisher: Publisher, changes: readonly Change[]): Promise<Round> {
  const open = changes.filter((change) => change.publications.length > 0);
  const presents = open.flatMap(({ publications }) =>
    publications.filter((one) => one.desired === 'present'),
  );
  const answers = await append(publisher, presents);
  const stored = (one: Publication) => answers.get(one)?.kind === 'stored';
  const absents = open.flatMap(({ publications }) => {
    const [present, ...rest] = publications;
    if (present?.desired !== 'present') return publications;
    return stored(present) ? rest : [];
  });
  for (const [one, answer] of await append(publisher, absents)) answers.set(one, answer);
  const published = open.filter((change) => change.publications.every(stored));
  return { published, missed: published.length === open.length ? null : missedBy([...answers.values()]) };
}

function missedBy(answers: readonly Appended[]): { readonly cause: unknown } {
  const unknown = answers.find((answer) => answer.kind === 'unknown');
  return unknown ?? { cause: new Error('other declarations for the same devices keep coming in between') };
}

/** Appends all, in no order, IN_FLIGHT_MAX at a time. */
async function append(
  { stream, prefix, author }: Publisher,
  publications: readonly Publication[],
): Promise<Map<Publication, Appended>> {
  const answers = new Map<Publication, Appended>();
  await inLanes(publications, IN_FLIGHT_MAX, async (one) => {
    answers.set(one, await stream.append(outgoing(prefix, one, author())));
  });
  return answers;
}

function outgoing(prefix: string, { desired, data, expected }: Publication, event: EventMeta): Outgoing {
  const declaration = { desired, event, data } as Declaration;
  return { ...encodeDeclaration(prefix, declaration), expectedSubjectSequence: expected };
}
