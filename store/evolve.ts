/**
 * The fold: what a fact makes of what was known of its UUID.
 *
 * Pure and total: every fact is taken as it is, since what was decided was decided before it
 * was written. Replaying a journal through this function gives its projections.
 */
import type { DeviceFact, FactOf } from '../events/fact.ts';
import { TERMINAL, withHint } from '../events/guidance.ts';
import type { Claim } from '../events/names.ts';
import type { Desired, Device, Fence, Phase, Reservation, Terminal } from './device.ts';

/** The device after the fact with sequence `seq`. */
export function evolve(device: Device, fact: DeviceFact, seq: number): Device {
  return { ...device, ...change(device, fact), version: seq };
}

function change(device: Device, fact: DeviceFact): Partial<Device> {
  switch (fact.kind) {
    case 'declared':
      return declared(device, fact);
    case 'commanded':
      return fact.command === 'retry' ? { terminal: null, waiting: null } : {};
    case 'claiming':
      return {
        waiting: null,
        reservation: {
          phase: 'claiming',
          claim: fact.claim,
          generation: fact.generation,
          revision: null,
          ...BARE,
          existed: false,
        },
      };
    case 'reserved':
      return {
        waiting: null,
        fence: null,
        ...reserve(device, { phase: 'reserved', revision: fact.revision }),
      };
    case 'reasserted':
      return reserve(device, { revision: fact.revision });
    case 'configured':
      return reserve(device, { applied: fact.attributes, echoing: fact.echoing ?? [], changed: [] });
    case 'active':
      return {
        waiting: null,
        ...reserve(device, {
          phase: 'active',
          generation: fact.generation,
          identity: fact.identity ?? null,
          existed: true,
        }),
      };
    case 'drift':
      return fact.cause === 'AttributesChanged'
        ? reserve(device, { changed: fact.attributes ?? [] })
        : reserve(device, { phase: 'reserved', ...BARE });
    case 'waiting':
      return { waiting: { reason: fact.reason, message: fact.message } };
    case 'settled':
      return { waiting: null, ...reserve(device, { generation: fact.generation }) };
    case 'conflict':
    case 'failed':
      return ended(device, fact);
    case 'releasing':
      return { waiting: null, ...reserve(device, { phase: 'releasing' }) };
    case 'gone':
      return { waiting: null, reservation: null };
    case 'fenced':
      return { waiting: null, fence: fenceOf(fact), ...reserve(device, { phase: 'fenced' }) };
    case 'unmanaged':
      return { unmanaged: fact.device };
    default:
      return fact satisfies never;
  }
}

function fenceOf({ revision, message }: FactOf<'fenced'>): Fence {
  return { revision: revision ?? null, message };
}

/** A device to which nothing was written. */
const BARE = { applied: null, echoing: [], changed: [], identity: null } as const;

function reserve(device: Device, change: Partial<Reservation> & { phase?: Phase }): Partial<Device> {
  return device.reservation === null ? {} : { reservation: { ...device.reservation, ...change } };
}

function declared(device: Device, fact: FactOf<'declared'>): Partial<Device> {
  if (fact.outcome === 'refused') return { refused: refusal(device, fact) };
  const desired = desire(fact);
  if (fact.outcome === 'unchanged') return { desired, refused: null, ...carried(device, fact) };
  return { desired, refused: null, terminal: null, waiting: null, unmanaged: null };
}

/** The same declaration again moves the generation; what ended the old one ends the new one too. */
function carried(device: Device, fact: FactOf<'declared'>): Partial<Device> {
  if (device.terminal === null) return {};
  return { terminal: { ...device.terminal, generation: fact.generation } };
}

function desire(fact: FactOf<'declared'>): Desired {
  const { generation, claim, attributes, set, replaces } = fact;
  if (fact.desired === 'absent' || claim === null) return { kind: 'absent', generation };
  return { kind: 'present', generation, claim, attributes, set, replaces };
}

function refusal(device: Device, fact: FactOf<'declared'>): Terminal | null {
  if (fact.claim === null || device.desired?.kind !== 'present') return null;
  const first = device.desired.claim;
  return {
    generation: fact.generation,
    kind: 'conflict',
    claim: fact.claim,
    reason: 'ClaimDiffers',
    message: withHint(`declared before as ${describe(first)}`, TERMINAL.ClaimDiffers),
    holder: null,
  };
}

function ended(device: Device, fact: FactOf<'conflict'> | FactOf<'failed'>): Partial<Device> {
  const claim = fact.kind === 'conflict' ? fact.claim : claimOf(device);
  if (claim === undefined) return {};
  const { generation, kind, reason, message } = fact;
  const holder = fact.kind === 'conflict' ? fact.holder : null;
  const terminal = { generation, kind, claim, reason, message, holder };
  return { waiting: null, terminal, ...dropUnheld(device) };
}

/** A claim that ended before the UUID was ours holds nothing. */
function dropUnheld(device: Device): Partial<Device> {
  return device.reservation?.phase === 'claiming' ? { reservation: null } : {};
}

function claimOf(device: Device): Claim | undefined {
  return device.desired?.kind === 'present' ? device.desired.claim : device.reservation?.claim;
}

/** A claim as people read it. */
export function describe(claim: Claim): string {
  return `${claim.type} on ${claim.parent} of host ${claim.host}`;
}
