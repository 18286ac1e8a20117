/**
 * Subjects: where events are published, formatted and parsed as a pair.
 *
 * `<prefix>.<kind>.<host>.<uuid>`; a dot in a host id becomes `_`, which no host id
 * contains, so the way back is unambiguous. What is about no device has `_` for the UUID, and
 * what is about the whole fleet has it for the host, too. A host's inventory has a subject of its own, so that the last
 * message there is what the host has now.
 */
import { type HostId, hostId, type Uuid, uuid } from './names.ts';

/** Stands for the UUID where a host's inventory is. */
export const INVENTORY = 'inventory';

export type SubjectKind = 'desired' | 'observed' | 'command' | 'doorbell';

export type Subject = {
  readonly kind: SubjectKind;
  /** null, with a UUID of null, for the whole fleet. */
  readonly host: HostId | null;
  readonly uuid: Uuid | null;
  /** Given for what is about no device, and has a subject of its own. */
  readonly topic?: typeof INVENTORY;
};

export const DEFAULT_PREFIX = 'mdev';

const KINDS: readonly string[] = ['desired', 'observed', 'command', 'doorbell'] satisfies SubjectKind[];
/** Stands for the UUID where there is none. */
export const NO_UUID = '_';
/** Stands for the host where there is none. */
export const NO_HOST = '_';

function hostToken(host: HostId): string {
  return host.replaceAll('.', '_');
}

/** The subject of an event; the inverse of parseSubject. */
export function formatSubject(prefix: string, subject: Subject): string {
  const { kind, host, uuid: device, topic = NO_UUID } = subject;
  return `${prefix}.${kind}.${host === null ? NO_HOST : hostToken(host)}.${device ?? topic}`;
}

/** The filter that takes all subjects of a kind for one host, or for all hosts, and for one UUID or all. */
export function subjectFilter(
  prefix: string,
  kind: SubjectKind,
  only: { readonly host?: HostId | undefined; readonly uuid?: Uuid | typeof INVENTORY | undefined } = {},
): string {
  const host = only.host === undefined ? '*' : hostToken(only.host);
  return `${prefix}.${kind}.${host}.${only.uuid ?? '*'}`;
}

/** The parts of a subject, or undefined when it is none of ours under this prefix. */
export function parseSubject(prefix: string, subject: string): Subject | undefined {
  if (!subject.startsWith(`${prefix}.`)) return undefined;
  const [kind, token, last, ...rest] = subject.slice(prefix.length + 1).split('.');
  if (kind === undefined || token === undefined || last === undefined || rest.length > 0) return undefined;
  const isInventory = last === INVENTORY && kind === 'observed' && token !== NO_HOST;
  const name = last === NO_UUID || isInventory ? null : last;
  const host = token === NO_HOST && name === null ? null : token.replaceAll('_', '.');
  const known = KINDS.includes(kind) && hostId.nullable().safeParse(host).success;
  if (!known || (name !== null && !uuid.safeParse(name).success)) return undefined;
  const subjectOf = { kind: kind as SubjectKind, host, uuid: name };
  return isInventory ? { ...subjectOf, topic: INVENTORY } : subjectOf;
}
