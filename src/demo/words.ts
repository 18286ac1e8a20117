/**
 * Facts about a device, as a person would tell them.
 */

import type { DeviceFact, FactOf } from '../../events/fact.ts';
import { DRIFT } from '../../events/guidance.ts';
import type { Colour } from '../cli/terminal.ts';

/** One sentence without its end. */
export function tell(fact: DeviceFact): string {
  switch (fact.kind) {
    case 'declared':
      return tellDeclared(fact);
    case 'commanded':
      return fact.command === 'retry'
        ? 'an operator asks to try again'
        : `an operator takes the UUID from this host: ${fact.why ?? ''}`;
    case 'claiming':
      return 'asks the registry for the UUID';
    case 'reserved':
      return `the registry gives it the UUID, revision ${fact.revision}`;
    case 'reasserted':
      return `the registry had lost its hold, which is written again, revision ${fact.revision}`;
    case 'configured':
      return `attributes written: ${fact.attributes.map(({ name, value }) => `${name}=${value}`).join(' ')}`;
    case 'active':
      return MADE[fact.how];
    case 'drift':
      return `drift, ${fact.cause}: ${DRIFT[fact.cause].meaning}`;
    case 'waiting':
      return `waiting, ${fact.reason}: ${fact.message}`;
    case 'settled':
      return 'what it waited for has passed';
    case 'conflict':
    case 'failed':
      return `${fact.kind}, ${fact.reason}: ${fact.message}`;
    case 'releasing':
      return 'about to be removed';
    case 'gone':
      return 'the device is gone, and the UUID given back';
    case 'fenced':
      return `the UUID is not this host's any more: ${fact.message}`;
    case 'unmanaged':
      return fact.device === null
        ? 'a device that nobody declared went'
        : 'there is a device that nobody declared';
    default:
      return fact satisfies never;
  }
}

/** The colour of what a fact tells: good, passing, or bad news. */
export function colourOf({ kind }: DeviceFact): Colour | undefined {
  return COLOURS[kind];
}

const COLOURS: Partial<Record<DeviceFact['kind'], Colour>> = {
  active: 'green',
  gone: 'green',
  settled: 'green',
  drift: 'yellow',
  waiting: 'yellow',
  conflict: 'red',
  failed: 'red',
  fenced: 'red',
};

const MADE = {
  created: 'the device is made',
  adopted: 'the device was there already, and is taken over',
  unknown: 'the device is there; a crash hides who made it',
} as const satisfies Record<FactOf<'active'>['how'], string>;

function tellDeclared({ claim, set, outcome }: FactOf<'declared'>): string {
  if (claim === null) return 'withdrawn';
  const by = set === null ? '' : `, by set ${set}`;
  const refused = outcome === 'refused' ? '; refused' : '';
  return `declared: ${claim.type} on ${claim.parent}${by}${refused}`;
}
