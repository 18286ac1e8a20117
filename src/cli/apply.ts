/**
 * `apply`: publishes what manifests declare, as far as it differs from what stands declared.
 *
 * On a terminal the plan is shown and confirmed first, or it comes from a file; then that plan is published and nothing
 * more: what the fleet has changed meanwhile ends it. Elsewhere it goes ahead, within what the flags allow, and a race is
 * planned anew.
 */
import type { Flags } from '../config.ts';
import type { Declared } from '../declare/manifest.ts';
import { isOpen, planOf } from '../declare/plan.ts';
import { publishChanges, type Report } from '../declare/publish.ts';
import { Failure, type Outcome } from '../exit.ts';
import { createAuthor } from './author.ts';
import { awaitSettled, outcomeOf, showVerdicts, timeoutMsOf } from './await.ts';
import { declaredIn, readManifests } from './input.ts';
import { type Fleet, withFleet } from './open.ts';
import type { Output } from './output.ts';
import { planJson, showPlan } from './plan-view.ts';
import { type Asked, type Proposal, propose } from './propose.ts';
import { refuseHarm } from './refuse.ts';
import { showReport } from './report.ts';
import { publicationsOf, readPlan, refuseOther } from './saved-plan.ts';
import type { Invocation } from './verb.ts';

export async function apply({ settings, flags, out }: Invocation): Promise<Outcome> {
  timeoutMsOf(flags['timeout']);
  const { declared, asked, planned } = await given(flags);
  const asking = { flags: { ...flags, ...asked }, out };
  return withFleet(settings, (fleet) => applyDeclared(fleet, declared, asking, planned), { create: true });
}

type Given = {
  readonly declared: Declared;
  readonly asked: Partial<Asked>;
  readonly planned: ReadonlySet<string> | null;
};

/** What to apply: manifests, or a plan of some, which says by itself what was asked for. */
async function given({ file, plan, prune, takeOver }: Flags): Promise<Given> {
  if ((file === undefined) === (plan === undefined)) {
    throw new Failure('reading the settings: either manifests or a plan are applied', {
      outcome: 'usage',
      wayOut: 'give -f PATH, or --plan FILE',
    });
  }
  if (typeof plan !== 'string') {
    return { declared: await readManifests(file as readonly string[]), asked: {}, planned: null };
  }
  if (prune !== undefined || takeOver !== undefined) {
    throw new Failure('reading the settings: --prune and --take-over are given with --plan', {
      outcome: 'usage',
      wayOut: 'leave them out, or give them to `mdevfleet plan`',
    });
  }
  const { manifests, asked, publications } = await readPlan(plan);
  return { declared: declaredIn(manifests), asked, planned: publications };
}

/**
 * Shows, asks and publishes as the flags of `apply` say, wherever it is from what is declared. Nobody is asked about
 * what was `planned`, and nothing else is published.
 */
export async function applyDeclared(
  fleet: Fleet,
  declared: Declared,
  { flags, out }: Pick<Invocation, 'flags' | 'out'>,
  planned: ReadonlySet<string> | null = null,
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
  if (planned !== null) refuseOther(proposal.changes, planned);
  if (flags['dryRun'] === true) return showDryRun(proposal, flags, out);
  const isAsking = planned === null && mustAsk(proposal, flags, out);
  if (isAsking) await confirm(proposal, out);
  const allowed = isAsking ? publicationsOf(proposal.changes) : planned;
  // Who was asked took his time: what he saw is looked at once more. Elsewhere the first look is as good as another.
  let first = isAsking ? null : proposal.changes;
  const publisher = { stream: fleet.streams.desired, prefix: fleet.prefix, author };
  const report = await publishChanges(publisher, async () => {
    const changes = first ?? (await again()).changes;
    first = null;
    if (allowed !== null) refuseOther(changes, allowed);
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
