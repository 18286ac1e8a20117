/**
 * Hosts that operators have forgotten, and that nobody was let speak for since.
 */
import { decodeEvent } from '../../events/codec.ts';
import type { HostId } from '../../events/names.ts';
import type { Message, Stream } from '../../events/stream.ts';
import { NO_UUID, parseSubject, subjectFilter } from '../../events/subject.ts';

/** What an operator said of a whole host: that it is forgotten, or anything else, which is said to a host that is there. */
export type HostAct = { readonly host: HostId; readonly isForgotten: boolean };

/** The subjects of such acts, on all hosts or on one. */
export function hostActs(prefix: string, host?: HostId): string {
  return subjectFilter(prefix, 'command', { host, uuid: NO_UUID });
}

/** Null for a message of something else. */
export function hostActIn(prefix: string, { subject, data }: Message): HostAct | null {
  const decoded = decodeEvent(parseSubject(prefix, subject), data);
  if (decoded.kind !== 'command' || !('host' in decoded.command.data)) return null;
  return { host: decoded.command.data.host, isForgotten: decoded.command.command === 'forget' };
}

/** As the last act on each whole host says. Throws StreamUnavailable. */
export async function forgottenHosts(command: Stream, prefix: string): Promise<ReadonlySet<HostId>> {
  const found = new Set<HostId>();
  for await (const message of command.lastPerSubject(hostActs(prefix))) {
    const act = hostActIn(prefix, message);
    if (act?.isForgotten) found.add(act.host);
  }
  return found;
}

/** Whether something is of a host that was not forgotten. Throws StreamUnavailable. */
export async function notForgotten(
  command: Stream,
  prefix: string,
): Promise<(one: { readonly host: HostId }) => boolean> {
  const forgotten = await forgottenHosts(command, prefix);
  return ({ host }) => !forgotten.has(host);
}
