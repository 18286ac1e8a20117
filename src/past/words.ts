/**
 * Facts, as a person would tell them.
 */
import type { Fact, FactKind, FactOf } from '../../events/fact.ts';
import { DRIFT } from '../../events/guidance.ts';
import type { Claim } from '../../events/names.ts';
import type { Colour } from '../cli/terminal.ts';

/** One sentence without its end. */
export function tell(fact: Fact): string {
  switch (fact.kind) {
    case 'genesis':
      return `the journal begins: ${fact.journal}`;
    case 'started':
      return `the agent starts: ${fact.software} on ${fact.kernel}`;
    case 'stopped':
      return 'the agent stops';
    case 'checkpoint':
      return 'the host signs where its journal ends';
    case 'inventory':
      return `the host offers ${fact.types.length} types on ${fact.parents.length} parents`;
    case 'incarnated':
      return `the agent speaks for the host, incarnation ${fact.incarnation}`;
    case 'registry':
      return `the registry is ${fact.state}: ${fact.what}`;
    case 'epoch':
      return `stream ${fact.stream}, ${fact.cause}: epoch ${fact.cursor.epoch} from ${fact.cursor.sequence} on`;
    case 'rejected':
      return `message ${fact.sequence} of stream ${fact.stream}, on ${fact.subject}, is turned away: ${fact.reason}`;
    case 'unsupported':
      return `message ${fact.sequence} of stream ${fact.stream}, on ${fact.subject}, is of a newer kind: ${fact.type}`;
    case 'steered':
      return STEERED[fact.command];
    case 'cordoned':
      return `an operator ${CORDONED[fact.command]} ${fact.parent ?? 'all parents of the host'}`;
    case 'told':
      return TOLD[fact.command];
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
      return `conflict, ${fact.reason}: ${fact.message}${sides(fact)}`;
    case 'failed':
      return `failed, ${fact.reason}: ${fact.message}`;
    case 'releasing':
      return `about to be removed, ${fact.cause}`;
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
export function colourOf({ kind }: Fact): Colour | undefined {
  return COLOURS[kind];
}

const COLOURS: Partial<Record<FactKind, Colour>> = {
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

const STEERED = {
  pause: 'an operator pauses the host: it looks and reports, and changes nothing',
  resume: 'an operator lets the host go on',
} as const satisfies Record<FactOf<'steered'>['command'], string>;

const CORDONED = {
  cordon: 'lets no new device be made on',
  uncordon: 'lets devices be made again on',
} as const satisfies Record<FactOf<'cordoned'>['command'], string>;

const TOLD = {
  call: 'an operator asks whether the host is there',
  forget: 'an operator states that the host will not come back',
  rebind: 'an operator lets another journal or machine speak for the host',
} as const satisfies Record<FactOf<'told'>['command'], string>;

/** Both claims, where the registry had another one. */
function sides({ claim, holder }: FactOf<'conflict'>): string {
  if (holder === null) return '';
  return ` [asked for: ${placeOf(claim)}; ${holder.phase}: ${placeOf(holder.claim)}, since ${holder.since}]`;
}

function placeOf({ host, parent, type }: Claim): string {
  return `${type} on ${parent} of ${host}`;
}

function tellDeclared({ claim, set, outcome }: FactOf<'declared'>): string {
  if (claim === null) return 'withdrawn';
  const by = set === null ? '' : `, by set ${set}`;
  const refused = outcome === 'refused' ? '; refused' : '';
  return `declared: ${claim.type} on ${claim.parent}${by}${refused}`;
}
