/**
 * What stands declared of a UUID on another host.
 *
 * A host that is away holds what it was told to give up long ago. Whoever finds a UUID taken asks here
 * before it calls that a conflict: the stream knows more than the holder has heard.
 */
import { decodeEvent } from '../events/codec.ts';
import type { HostId, Uuid } from '../events/names.ts';
import { type Stream, StreamUnavailable } from '../events/stream.ts';
import { parseSubject, subjectFilter } from '../events/subject.ts';

/** `withdrawn`: the last word is that the UUID shall be absent there. `standing`: it is anything else, or there is none. */
export type DeclaredOn = 'standing' | 'withdrawn' | 'unreachable';

/** Asks the leader for the last word about a UUID on a host. The absence of a declaration is never a withdrawal. */
export async function declaredOn(
  desired: Stream,
  prefix: string,
  host: HostId,
  uuid: Uuid,
): Promise<DeclaredOn> {
  try {
    const last = await desired.last(subjectFilter(prefix, 'desired', { host, uuid }));
    if (last === undefined) return 'standing';
    const decoded = decodeEvent(parseSubject(prefix, last.subject), last.data);
    return decoded.kind === 'declaration' && decoded.declaration.desired === 'absent'
      ? 'withdrawn'
      : 'standing';
  } catch (error) {
    if (error instanceof StreamUnavailable) return 'unreachable';
    throw error;
  }
}
