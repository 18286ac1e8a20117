/**
 * Hosts that operators have forgotten, and that nobody was let speak for since.
 */
import { decodeEvent } from '../../events/codec.ts';
import type { HostId } from '../../events/names.ts';
import type { Stream } from '../../events/stream.ts';
import { NO_UUID, parseSubject, subjectFilter } from '../../events/subject.ts';

/** As the last act on each whole host says. Throws StreamUnavailable. */
export async function forgottenHosts(command: Stream, prefix: string): Promise<ReadonlySet<HostId>> {
  const found = new Set<HostId>();
  for await (const { subject, data } of command.lastPerSubject(
    subjectFilter(prefix, 'command', { uuid: NO_UUID }),
  )) {
    const decoded = decodeEvent(parseSubject(prefix, subject), data);
    if (decoded.kind === 'command' && decoded.command.command === 'forget') {
      found.add(decoded.command.data.host);
    }
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
