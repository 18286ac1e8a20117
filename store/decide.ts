/**
 * What a declaration does to what was desired before: the folding rules.
 *
 * The first claim of a UUID on a host stays until it is withdrawn or named by `replaces`;
 * a second one is refused, at its own generation, and nothing else changes. A claim that
 * never got a device protects nothing and is simply replaced.
 */
import type { Declaration } from '../events/declaration.ts';
import type { FactOf } from '../events/fact.ts';
import { type Claim, type Generation, sameAttributes, sameClaim } from '../events/names.ts';
import type { Device } from './device.ts';

type Outcome = FactOf<'declared'>['outcome'];

/** The fact that records the declaration, with what it did. */
export function decide(device: Device, declaration: Declaration, generation: Generation): FactOf<'declared'> {
  const present = declaration.desired === 'present' ? declaration.data : null;
  const claim = present && { host: present.host, parent: present.parent, type: present.type };
  return {
    kind: 'declared',
    v: 1,
    uuid: device.uuid,
    generation,
    event: declaration.event,
    desired: declaration.desired,
    claim,
    attributes: present?.attributes ?? [],
    labels: present?.labels ?? {},
    set: present?.set ?? null,
    replaces: present?.replaces ?? null,
    outcome: claim === null ? withdrawal(device) : outcomeOf(device, claim, present),
  };
}

function withdrawal(device: Device): Outcome {
  return device.desired?.kind === 'absent' ? 'unchanged' : 'withdrawn';
}

type Present = Extract<Declaration, { desired: 'present' }>['data'];

function outcomeOf(device: Device, claim: Claim, present: Present | null): Outcome {
  const before = device.desired;
  if (before === null || before.kind === 'absent') return 'claimed';
  const replaces = present?.replaces ?? null;
  if (sameClaim(before.claim, claim)) {
    const same =
      sameAttributes(before.attributes, present?.attributes ?? []) &&
      sameReplaces(before.replaces, replaces) &&
      before.set === (present?.set ?? null);
    return same ? 'unchanged' : 'updated';
  }
  return sameReplaces(before.claim, replaces) || !isProtected(device) ? 'replaced' : 'refused';
}

function sameReplaces(a: Claim | null, b: Claim | null): boolean {
  return a === null || b === null ? a === b : sameClaim(a, b);
}

/** A claim is protected from a second one once its device existed. */
function isProtected(device: Device): boolean {
  return device.reservation?.existed === true;
}
