/**
 * A plan in a file: the manifests that it was made of, what was asked for, and all that it would publish.
 *
 * It is carried out by planning once more and publishing nothing that is not in it: each publication names the last
 * message of its subject, so a fleet that has moved on is noticed, and what was done already is left out.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Change } from '../declare/diff.ts';
import { API_VERSION, type ManifestFile } from '../declare/manifest.ts';
import { Failure } from '../exit.ts';
import type { Asked } from './propose.ts';

const savedPlan = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  kind: z.literal('Plan'),
  prune: z.boolean(),
  takeOver: z.boolean(),
  manifests: z.array(z.strictObject({ name: z.string(), text: z.string() })),
  publications: z.array(z.string()),
});

export type SavedPlan = {
  readonly manifests: readonly ManifestFile[];
  readonly asked: Asked;
  readonly publications: ReadonlySet<string>;
};

/** What changes would publish, as texts that are the same for the same publication. */
export function publicationsOf(changes: readonly Change[]): ReadonlySet<string> {
  return new Set(changes.flatMap(({ publications }) => publications.map((one) => JSON.stringify(one))));
}

/** Throws a Failure unless everything that the changes would publish was planned. */
export function refuseOther(changes: readonly Change[], planned: ReadonlySet<string>): void {
  if (publicationsOf(changes).isSubsetOf(planned)) return;
  throw new Failure('applying: the fleet has moved past the plan', {
    outcome: 'refused',
    wayOut: 'plan again, and look at the new plan',
  });
}

/** Throws the system's error when the file cannot be written. */
export async function savePlan(file: string, { manifests, asked, publications }: SavedPlan): Promise<void> {
  const plan = {
    apiVersion: API_VERSION,
    kind: 'Plan',
    ...asked,
    manifests,
    publications: [...publications],
  };
  await writeFile(file, JSON.stringify(plan));
}

/** Throws a Failure for a file that is no plan. */
export async function readPlan(file: string): Promise<SavedPlan> {
  try {
    const { prune, takeOver, manifests, publications } = savedPlan.parse(
      JSON.parse(await readFile(file, 'utf8')),
    );
    return { manifests, asked: { prune, takeOver }, publications: new Set(publications) };
  } catch (cause) {
    const reason = cause instanceof Error && 'syscall' in cause ? cause.message : 'it is none';
    throw new Failure(`reading the plan ${file}: ${reason}`, {
      outcome: 'input',
      wayOut: 'give --plan a file that `mdevfleet plan --out` wrote',
      cause,
    });
  }
}
