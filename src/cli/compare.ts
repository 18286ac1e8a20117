/**
 * A journal that is whole in itself, against what the fleet was told of it.
 */
import { compareWith } from '../../store/journal/compare.ts';
import { readExport } from '../../store/journal/export.ts';
import type { VerifiedLog } from '../../store/journal/verify.ts';
import { witnessesOf } from '../../store/witness.ts';
import type { Settings } from '../config.ts';
import { Failure } from '../exit.ts';
import { recordsIn } from './journal-records.ts';
import { withFleet } from './open.ts';

/** A log that was found whole. `forwarded` is null for one that does not say. */
export type Found = VerifiedLog & { readonly forwarded: number | null };

/** What is verified: its name for people, and where it lies. */
export type Place = {
  readonly name: string;
  readonly file: string | null;
  readonly dir: string | null;
}; /** How far the fleet has the journal. */
export type Told = { readonly reaches: number; readonly missing: number | null };

/** Throws a Failure when the fleet was told something else. */
export async function compareWithStream(settings: Settings, place: Place, found: Found): Promise<Told> {
  return withFleet(settings, async ({ streams, prefix }) => {
    const testimony = { stream: streams.observed, host: found.host, prefix };
    const records = place.file === null ? recordsIn(place.dir ?? '') : readExport(place.file);
    const { differs, reaches, missing } = await compareWith(records, witnessesOf(testimony, found.journal));
    if (differs !== null) throw contradicted(place, found, differs, reaches);
    return { reaches, missing };
  });
}

function contradicted({ name }: Place, { tail }: Found, differs: number, reaches: number): Failure {
  const what =
    differs > tail.seq
      ? `it ends at record ${tail.seq}, and the fleet was told of ${reaches}: its end was cut off, or it is an older copy`
      : `record ${differs} is not the one that the fleet was told of`;
  return new Failure(`verifying ${name}: ${what}`, {
    outcome: 'damaged',
    wayOut:
      'keep what is there aside as it is; `mdevfleet rebuild` makes the journal again from what the fleet has',
  });
}
