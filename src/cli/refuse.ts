/**
 * What `apply` does not do unless it was asked for outright: take devices away, many of them, or from another set.
 */
import { describe } from '../../store/evolve.ts';
import type { Flags } from '../config.ts';
import type { Change } from '../declare/diff.ts';
import { isOpen, removalsOf } from '../declare/plan.ts';
import { MAX_REMOVALS, removalsAllowed } from '../declare/removals.ts';
import { Failure } from '../exit.ts';
import type { Proposal } from './propose.ts';

/** Most devices that are named. */
const NAMED_MAX = 20;

/** Throws a Failure for the first thing that the flags do not allow. */
export function refuseHarm({ changes, declared }: Proposal, flags: Flags): void {
  const open = changes.filter(isOpen);
  if (flags['takeOver'] !== true) refuseTaking(open);
  if (flags['replace'] !== true) refuseReplacing(open);
  refuseMany(open, declared, flags['maxRemovals']);
}

function refuseTaking(changes: readonly Change[]): void {
  const taking = changes.filter(({ takes }) => takes !== null);
  if (taking.length === 0) return;
  const lines = taking.map(({ host, uuid, takes }) => `${host}/${uuid} is declared by set ${takes}`);
  throw new Failure(`applying: devices of other sets would be taken from them:${list(lines)}`, {
    outcome: 'refused',
    wayOut: 'add --take-over to allow it, or take them out of the manifest',
  });
}

function refuseReplacing(changes: readonly Change[]): void {
  const leaving = changes.filter(({ ends }) => ends.length > 0);
  if (leaving.length === 0) return;
  const lines = leaving.map(
    ({ uuid, claim, ends }) =>
      `${uuid}: ${ends.map(describe).join(' and ')} would go, for ${claim && describe(claim)}`,
  );
  throw new Failure(`applying: devices would be removed where they are now:${list(lines)}`, {
    outcome: 'refused',
    wayOut: 'add --replace to allow it, or keep the old place in the manifest as well',
  });
}

function refuseMany(changes: readonly Change[], declared: number, given: unknown): void {
  const text = typeof given === 'string' ? given : MAX_REMOVALS;
  const allowed = removalsAllowed(text, declared);
  if (allowed === null) {
    throw new Failure(`reading the settings: --max-removals: neither a number nor a percentage: ${text}`, {
      outcome: 'usage',
      wayOut: 'give a number, as 25, or a share of what the sets have declared, as 10%',
    });
  }
  const removals = changes.reduce((sum, change) => sum + removalsOf(change), 0);
  if (removals <= allowed) return;
  throw new Failure(`applying: ${removals} devices would be removed, and ${allowed} are allowed (${text})`, {
    outcome: 'refused',
    wayOut: `look at \`mdevfleet plan\`, and allow it with --max-removals ${removals}`,
  });
}

function list(lines: readonly string[]): string {
  const named = lines.slice(0, NAMED_MAX).map((line) => `\n  ${line}`);
  const more = lines.length - NAMED_MAX;
  return named.join('') + (more > 0 ? `\n  and ${more} more` : '');
}
