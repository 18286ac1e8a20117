/**
 * Subjects: where events are published, formatted and parsed as a pair.
 *
 * `<prefix>.<kind>.<host>.<uuid>`; a dot in a host id becomes `_`, which no host id
 * contains, so the way back is unambiguous. What is about no device has `_` for the UUID, and
 * what is about the whole fleet has it for the host, too.
 */
import { type HostId, hostId, type Uuid, uuid } from './names.ts';

export type SubjectKind = 'desired' | 'observed' | 'command' | 'doorbell';

export type Subject = {
  readonly kind: SubjectKind;
  /** null, with a UUID of null, for the whole fleet. */
  readonly host: HostId | null;
  readonly uuid: Uuid | null;
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
  return `${prefix}.${subject.kind}.${subject.host === null ? NO_HOST : hostToken(subject.host)}.${subject.uuid ?? NO_UUID}`;
}

/** The filter that takes all subjects of a kind for one host, or for all hosts, and for one UUID or all. */
export function subjectFilter(
  prefix: string,
  kind: SubjectKind,
  only: { readonly host?: HostId; readonly uuid?: Uuid } = {},
): string {
  const host = only.host === undefined ? '*' : hostToken(only.host);
  return `${prefix}.${kind}.${host}.${only.uuid ?? '*'}`;
}

/** The parts of a subject, or undefined when it is none of ours under this prefix. */
export function parseSubject(prefix: string, subject: string): Subject | undefined {
  if (!subject.startsWith(`${prefix}.`)) return undefined;
  const [kind, token, last, ...rest] = subject.slice(prefix.length + 1).split('.');
  if (kind === undefined || token === undefined || last === undefined || rest.length > 0) return undefined;
  const name = last === NO_UUID ? null : last;
  const host = token === NO_HOST && name === null ? null : token.replaceAll('_', '.');
  const known = KINDS.includes(kind) && hostId.nullable().safeParse(host).success;
  if (!known || (name !== null && !uuid.safeParse(name).success)) return undefined;
  return { kind: kind as SubjectKind, host, uuid: name };
}
