/**
 * The three streams and the doorbell of a fleet that is one machine.
 *
 * The doorbell rings when a commit, of whichever process, brought the host something new.
 */
import { alwaysUp } from '../always-up.ts';
import type { HostId } from '../names.ts';
import type { Ring, Stream, Streams } from '../stream.ts';
import { subjectFilter } from '../subject.ts';
import { splitLast } from '../wildcard.ts';
import type { Embedded } from './embedded.ts';
import { type LmdbStream, openLmdbStream } from './stream-lmdb.ts';

/** The streams in an open environment, which stays its opener's to close. Throws StreamUnavailable. */
export async function openEmbeddedStreams(embedded: Embedded, prefix: string): Promise<Streams> {
  const [desired, observed, command] = await Promise.all([
    openLmdbStream(embedded, 'desired'),
    openLmdbStream(embedded, 'observed'),
    openLmdbStream(embedded, 'command'),
  ]);
  return new EmbeddedStreams(embedded, prefix, { desired, observed, command });
}

class EmbeddedStreams implements Streams {
  readonly desired: LmdbStream;
  readonly observed: Stream;
  readonly command: LmdbStream;
  readonly #embedded: Embedded;
  readonly #prefix: string;
  readonly #bells = new Set<() => void>();

  constructor(
    embedded: Embedded,
    prefix: string,
    streams: { readonly desired: LmdbStream; readonly observed: Stream; readonly command: LmdbStream },
  ) {
    this.desired = streams.desired;
    this.observed = streams.observed;
    this.command = streams.command;
    this.#embedded = embedded;
    this.#prefix = prefix;
  }

  doorbell(host: HostId, onRing: (ring: Ring) => void): () => void {
    const looks = (['desired', 'command'] as const).map((name) => {
      const [head] = splitLast(subjectFilter(this.#prefix, name, { host }));
      return lookout(this[name], head, (sequence) => onRing({ stream: name, sequence }));
    });
    const cancel = this.#embedded.onCommit(() => {
      try {
        for (const look of looks) look();
      } catch {
        onRing(undefined);
      }
    });
    this.#bells.add(cancel);
    return () => {
      cancel();
      this.#bells.delete(cancel);
    };
  }

  onConnection(listener: (state: 'up' | 'down') => void): () => void {
    return alwaysUp(listener);
  }

  async close(): Promise<void> {
    for (const cancel of this.#bells) cancel();
  }
}

/** Tells, when it is called, of a message under the head that was not there the last time. */
function lookout(stream: LmdbStream, head: string, tell: (sequence: number) => void): () => void {
  let seen = stream.lastBelow(head);
  return () => {
    const last = stream.lastBelow(head);
    if (last <= seen) return;
    seen = last;
    tell(last);
  };
}
