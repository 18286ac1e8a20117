/**
 * Reads a story of one device on host-1, line by line, and tells it again as the program would have it.
 *
 * What comes in: `declare`, `withdraw`, `retry` (an operator), `record` (a fact that the host's journal got), `see`
 * (what the host's sysfs shows from now on), `reboot`. What comes out: `=> …` (what a declaration did), `plan`
 * (the next thing to do) and `rows` (what people are shown). The story is right when both tellings are the same.
 */
import type { Declaration } from '../../events/declaration.ts';
import { type DeviceFact, driftCause } from '../../events/fact.ts';
import type { Attribute, Claim, Generation } from '../../events/names.ts';
import type { WaitingReason } from '../../events/reasons.ts';
import type { Row } from '../../events/row.ts';
import type { Observed, Use } from '../../reconciler/host.ts';
import { type Known, plan } from '../../reconciler/plan.ts';
import type { Plan } from '../../reconciler/step.ts';
import { decide } from '../../store/decide.ts';
import { type Device, unknownDevice } from '../../store/device.ts';
import { evolve } from '../../store/evolve.ts';
import { rowsOf } from '../../store/rows.ts';

const HOST = 'host-1';
const UUID = '00000000-0000-4000-8000-000000000001';
const VERB_CHARS = 10;

/** Tells the story with the program's own answers. */
export function retell(story: string): string {
  const teller = new Teller();
  return story
    .split('\n')
    .map((line) => (line.trim() === '' ? line : teller.line(line)))
    .join('\n');
}

class Teller {
  #device: Device = unknownDevice(HOST, UUID);
  #observed: Observed = { kind: 'absent', room: { kind: 'available', instances: 2, taken: null } };
  #rebooted = false;
  #sequence = 0;

  /** The line as the program tells it. */
  line(line: string): string {
    const indent = line.slice(0, line.length - line.trimStart().length);
    const [verb = '', ...words] = line.trim().split(/ +/);
    const said = words.join(' ').replace(/ *=>.*$/, '');
    return `${indent}${verb.padEnd(VERB_CHARS)}${this.#tell(verb, said)}`.trimEnd();
  }

  #tell(verb: string, said: string): string {
    switch (verb) {
      case 'declare':
        return `${said} => ${this.#declare(presentOf(said))}`;
      case 'withdraw':
        return `=> ${this.#declare(null)}`;
      case 'retry':
        return this.#evolve(said, {
          kind: 'commanded',
          v: 1,
          uuid: UUID,
          sequence: 1,
          event: EVENT,
          command: 'retry',
        });
      case 'record':
        return this.#evolve(said, this.#fact(said));
      case 'see':
        this.#observed = observedOf(said);
        return said;
      case 'reboot':
        this.#rebooted = true;
        return said;
      case 'plan':
        return planned(plan(this.#known(), this.#observed));
      case 'rows':
        return rowsOf(this.#device).map(rowText).join(' + ') || 'none';
      default:
        throw new Error(`no story has the word ${verb}`);
    }
  }

  #known(): Known {
    return { ...this.#device, rebooted: this.#rebooted, rewritten: false, cordon: null };
  }

  #declare(present: Present | null): string {
    this.#sequence += 1;
    const about = { uuid: UUID, host: HOST };
    const declaration: Declaration =
      present === null
        ? { desired: 'absent', event: EVENT, data: about }
        : { desired: 'present', event: EVENT, data: { ...about, ...present } };
    const fact = decide(this.#device, declaration, { epoch: 1, sequence: this.#sequence });
    return this.#evolve(fact.outcome, fact);
  }

  #evolve(said: string, fact: DeviceFact): string {
    this.#device = evolve(this.#device, fact, this.#device.version + 1);
    return said;
  }

  /** A fact from its kind and what matters of it; the rest is as the device stands. */
  #fact(said: string): DeviceFact {
    const [kind, detail = ''] = split(said, ' ');
    const { desired, reservation } = this.#device;
    const generation: Generation = { epoch: 1, sequence: this.#sequence };
    const claim = desired?.kind === 'present' ? desired.claim : (reservation?.claim ?? claimOf('? on ?'));
    const about = { v: 1, uuid: UUID, generation } as const;
    const message = 'as told';
    switch (kind) {
      case 'claiming':
        return { kind, ...about, claim };
      case 'reserved':
        return { kind, ...about, revision: 1 };
      case 'configured':
        return configured(about, detail);
      case 'active':
        return { kind, ...about, how: 'created' };
      case 'drift':
        return drifted(about, detail);
      case 'waiting':
        return { kind, ...about, reason: detail as WaitingReason, message, errno: null };
      case 'conflict':
        return {
          kind,
          ...about,
          claim,
          reason: oneOf(['UuidHeld', 'ForeignDevice'], detail),
          message,
          holder: null,
        };
      case 'failed':
        return {
          kind,
          ...about,
          reason: oneOf(['AttributeRefused', 'Fenced'], detail),
          message,
          errno: null,
        };
      case 'releasing':
        return { kind, ...about, cause: oneOf(['Withdrawn', 'Replaced'], detail) };
      case 'fenced':
        return { kind, ...about, message };
      case 'settled':
      case 'gone':
        return { kind, ...about };
      case 'unmanaged':
        return { kind, v: 1, uuid: UUID, device: claimOf(detail) };
      default:
        throw new Error(`no journal has the fact ${kind}`);
    }
  }
}

const EVENT = { id: 'event', source: 'story', time: '2026-01-01T00:00:00Z' };

type Present = Omit<Extract<Declaration, { desired: 'present' }>['data'], 'uuid' | 'host'>;

/** `small on gpu0 with a=1 b=2 replacing big on gpu1` */
function presentOf(said: string): Present {
  const [front, replaces] = split(said, ' replacing ');
  const [where, attributes = ''] = split(front, ' with ');
  const { parent, type } = claimOf(where);
  const present = { parent, type, attributes: attributesOf(attributes) };
  return replaces === undefined ? present : { ...present, replaces: claimOf(replaces) };
}

/** `small on gpu0`, or `small on gpu0 of host-2` */
function claimOf(said: string): Claim {
  const [type, where = ''] = split(said, ' on ');
  const [parent, host = HOST] = split(where, ' of ');
  return { host, parent, type };
}

function attributesOf(said: string): Attribute[] {
  const pairs = said.split(' ').filter((one) => one !== '');
  return pairs.map((one) => {
    const [name, value = ''] = split(one, '=');
    return { name, value };
  });
}

type About = { readonly v: 1; readonly uuid: string; readonly generation: Generation };

/** `a=1 b=2`, or `a=1 b=2, of which a b read back` */
function configured(about: About, said: string): DeviceFact {
  const [attributes, echoing] = split(said, ', of which ');
  const names = echoing?.replace(/ reads? back$/, '').split(' ') ?? [];
  return { kind: 'configured', ...about, attributes: attributesOf(attributes), echoing: names };
}

/** `Removed`, or `AttributesChanged a b` */
function drifted(about: About, said: string): DeviceFact {
  const [cause, ...attributes] = said.split(' ');
  return { kind: 'drift', ...about, cause: oneOf(driftCause.options, cause ?? ''), attributes };
}

/** `nothing, room for 2`, `small on gpu0, in use`, `small on gpu0, reading a=1`, `a create on gpu0`, … */
function observedOf(said: string): Observed {
  const [what, detail = ''] = split(said, ', ');
  if (what === 'no answer') return { kind: 'unreadable', errno: 5, message: 'EIO' };
  if (what === 'a helper at work') return { kind: 'busy', pid: 1 };
  if (what === 'nothing') return { kind: 'absent', room: roomOf(detail) };
  const { parent, type } = claimOf(what);
  if (type === 'a create') return { kind: 'incomplete', parent };
  if (type === 'a removal') return { kind: 'removing', parent };
  const use: Use = detail === 'in use' ? { kind: 'in-use', by: [] } : { kind: 'free' };
  const removable = detail !== 'not removable';
  const attributes = detail.startsWith('reading ') ? attributesOf(detail.slice('reading '.length)) : [];
  return {
    kind: 'present',
    place: { parent, type },
    identity: null,
    iommuGroup: 1,
    removable,
    use,
    attributes,
  };
}

function roomOf(said: string): Extract<Observed, { kind: 'absent' }>['room'] {
  if (said === 'no parent') return { kind: 'parent-absent' };
  if (said === 'no such type') return { kind: 'type-absent' };
  return { kind: 'available', instances: said === 'no room' ? 0 : 2, taken: null };
}

function planned(what: Plan): string {
  switch (what.kind) {
    case 'settled':
      return 'nothing to do';
    case 'waiting':
      return `wait ${what.reason}`;
    case 'terminal':
      return `end in ${what.end} ${what.reason}`;
    case 'step':
      return stepText(what.step);
    default:
      return what satisfies never;
  }
}

function stepText(step: Extract<Plan, { kind: 'step' }>['step']): string {
  switch (step.do) {
    case 'claim':
      return `claim ${where(step.claim)}`;
    case 'create':
    case 'remove':
      return `${step.do} ${where(step.place)}`;
    case 'configure':
      return `write ${attributesText(step.attributes) || 'nothing'}`;
    case 'record-drift':
      return `record drift ${step.cause}`;
    case 'record-change':
      return `record that ${step.attributes.join(' ')} changed`;
    case 'unwatch':
      return `watch ${step.attributes.join(' ')} no more`;
    case 'begin-release':
      return `begin release ${step.cause}`;
    case 'activate':
    case 'release':
    case 'forget':
      return step.do;
    default:
      return step satisfies never;
  }
}

function rowText({ state, reason, attributes, ...row }: Row): string {
  const written = attributes.length === 0 ? '' : ` with ${attributesText(attributes)}`;
  return `${state}${reason === null ? '' : ` ${reason}`}: ${where(row)}${written}`;
}

function attributesText(attributes: readonly Attribute[]): string {
  return attributes.map(({ name, value }) => `${name}=${value}`).join(' ');
}

function where({ parent, type }: { readonly parent: string; readonly type: string }): string {
  return `${type} on ${parent}`;
}

function oneOf<T extends string>(choices: readonly T[], said: string): T {
  const chosen = choices.find((one) => one === said);
  if (chosen === undefined) throw new Error(`${said} is none of ${choices.join(', ')}`);
  return chosen;
}

/** What stands before and behind the first separator; undefined where there is none. */
function split(said: string, separator: string): readonly [string, string | undefined] {
  const at = said.indexOf(separator);
  return at < 0 ? [said, undefined] : [said.slice(0, at), said.slice(at + separator.length)];
}
