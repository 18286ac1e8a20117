/**
 * `plan`: what `apply` would do with the same manifests and flags, without doing it.
 */

import { isOpen, planOf } from '../declare/plan.ts';
import type { Outcome } from '../exit.ts';
import { declaredIn, readManifestFiles } from './input.ts';
import { withFleet } from './open.ts';
import { planJson, showPlan } from './plan-view.ts';
import { propose } from './propose.ts';
import { publicationsOf, savePlan } from './saved-plan.ts';
import type { Invocation } from './verb.ts';

export async function plan({ settings, flags, out }: Invocation): Promise<Outcome> {
  const manifests = await readManifestFiles(flags['file'] as readonly string[]);
  const declared = declaredIn(manifests);
  const asked = { prune: flags['prune'] === true, takeOver: flags['takeOver'] === true };
  const { changes, seen } = await withFleet(settings, (fleet) => propose(fleet, declared, asked));
  const planned = planOf(changes, seen);
  if (typeof flags['out'] === 'string') {
    await savePlan(flags['out'], { manifests, asked, publications: publicationsOf(changes) });
  }
  if (flags['json'] === true) out.json(planJson(planned));
  else showPlan(planned, out);
  return changes.some(isOpen) ? 'changes' : 'ok';
}
