/**
 * `apply`: publishes what manifests declare, as far as it differs from what stands declared.
 *
 * On a terminal the plan is shown and confirmed first, and then that plan is published or nothing more: what the fleet
 * has changed meanwhile ends it. Elsewhere it goes ahead, within what the flags allow, and a race is planned anew.
 */
import type { Flags } from '../config.ts';
import type { Change, Publication } from '../diff.ts';
import { Failure, type Outcome } from '../exit.ts';
import type { Declared } from '../manifest.ts';
import { isOpen, planOf } from '../plan.ts';
import { publishChanges, type Report } from '../publish.ts';
import { createAuthor } from './author.ts';
import { awaitSettled, outcomeOf, showVerdicts, timeoutMsOf } from './await.ts';
import { readManifests } from './input.ts';
import { type Fleet, withFleet } from './open.ts';
import type { Output } from './output.ts';
import { planJson, showPlan } from './plan-view.ts';
import { type Proposal, propose } from './propose.ts';
import { refuseHarm } from './refuse.ts';
import { showReport } from './report.ts';
import type { Invocation } from './verb.ts';

export async function apply(invocation: Invocation): Promise<Outcome> {
  const { settings, flags } = invocation;
  timeoutMsOf(flags['timeout']);
  const declared = await readManifests(flags['file'] as readonly string[]);
  return withFleet(settings, (fleet) => applyDeclared(fleet, declared, invocation), { create: true });
}

/** Shows, asks and publishes as the flags of `apply` say, wherever it is from what is declared. */
export async function applyDeclared(
  fleet: Fleet,
  declared: Declared,
  { flags, out }: Pick<Invocation, 'flags' | 'out'>,
): Promise<Outcome> {
  const timeoutMs = timeoutMsOf(flags['timeout']);
  const asked = { prune: flags['prune'] === true, takeOver: flags['takeOver'] === true };
  const again = async (): Promise<Proposal> => {
    const proposal = await propose(fleet, declared, asked);
    refuseHarm(proposal, flags);
    return proposal;
  };
  const author = createAuthor(fleet.clock, flags['source']);
  const proposal = await again();
  if (flags['dryRun'] === true) return showDryRun(proposal, flags, out);
  const isAsking = mustAsk(proposal, flags, out);
  if (isAsking) await confirm(proposal, out);
  // Who was asked took his time: what he saw is looked at once more. Elsewhere the first look is as good as another.
  let first = isAsking ? null : proposal.changes;
  const publisher = { stream: fleet.streams.desired, prefix: fleet.prefix, author };
  const report = await publishChanges(publisher, async () => {
    const changes = first ?? (await again()).changes;
    first = null;
    if (isAsking) refuseOther(changes, proposal.changes);
    return changes;
  });
  return finish(fleet, report, { flags, out, timeoutMs });
}

type Ending = Pick<Invocation, 'flags' | 'out'> & { readonly timeoutMs: number };

async function finish(fleet: Fleet, report: Report, { flags, out, timeoutMs }: Ending): Promise<Outcome> {
  const asJson = flags['json'] === true;
  if (flags['wait'] !== true || report.stopped !== null) {
    showReport(report, asJson, out);
    return 'ok';
  }
  if (!asJson) showReport(report, false, out);
  const found = await awaitSettled(fleet, report.changes, timeoutMs, out);
  if (asJson) showReport(report, true, out, found);
  else showVerdicts(found, out);
  return outcomeOf(found);
}

function showDryRun({ changes, seen }: Proposal, flags: Flags, out: Output): Outcome {
  const plan = planOf(changes, seen);
  if (flags['json'] === true) out.json(planJson(plan));
  else showPlan(plan, out);
  return 'ok';
}

/** Whoever is not at a terminal cannot be asked, and has said with the flags what is allowed. */
function mustAsk({ changes }: Proposal, flags: Flags, out: Output): boolean {
  return out.canAsk && flags['yes'] !== true && flags['json'] !== true && changes.some(isOpen);
}

async function confirm({ changes, seen }: Proposal, out: Output): Promise<void> {
  showPlan(planOf(changes, seen), out);
  const answer = await out.ask('Publish this? [y/N] ');
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new Failure('applying: it was not confirmed, and nothing was published', {
    outcome: 'refused',
    wayOut: 'answer y, or give --yes',
  });
}

/** Only what was confirmed is published. */
export function refuseOther(changes: readonly Change[], confirmed: readonly Change[]): void {
  const text = (one: Publication) => JSON.stringify(one);
  const known = new Set(confirmed.flatMap(({ publications }) => publications.map(text)));
  if (changes.every(({ publications }) => publications.every((one) => known.has(text(one))))) return;
  throw new Failure('applying: the fleet has moved past the plan that was confirmed', {
    outcome: 'refused',
    wayOut: 'run the same command again, and look at the new plan',
  });
}
