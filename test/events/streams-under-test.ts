/**
 * What the tests of streams share: the streams to test, messages to send, and ways to read and wait.
 */
import type { Message, Outgoing, Stream, StreamName, Streams } from '../../events/stream.ts';
import { formatSubject, subjectFilter } from '../../events/subject.ts';

/** Streams to test, empty at first; each `client` is one more way into the same ones. */
export type StreamsUnderTest = {
  readonly prefix: string;
  client(): Promise<Streams>;
  close(): Promise<void>;
};

export function uuidOf(device: number): string {
  return `00000000-0000-4000-8000-${String(device).padStart(12, '0')}`;
}

export function subjectOf(
  prefix: string,
  host: string,
  device: number,
  kind: StreamName = 'desired',
): string {
  return formatSubject(prefix, { kind, host, uuid: uuidOf(device) });
}

/** Takes the declarations for one host, or for all. */
export function desiredFilter(prefix: string, host?: string): string {
  return subjectFilter(prefix, 'desired', { host });
}

export function outgoing(subject: string, id: string): Outgoing {
  return { subject, id, data: new TextEncoder().encode(`data of ${id}`) };
}

/** A message whose data compares with any other bytes. */
export function plain(message: Message | undefined): Message | undefined {
  if (message === undefined) return undefined;
  const { storedAt: _, data, ...rest } = message;
  return { ...rest, data: Uint8Array.from(data) };
}

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

/** The ids of all messages that the filter takes. */
export async function idsOf(stream: Stream, filter: string): Promise<readonly (string | null)[]> {
  const found: Message[] = [];
  for (;;) {
    const more = await stream.next(filter, found.at(-1)?.sequence ?? 0, 250);
    if (more.length === 0) return found.map(({ id }) => id);
    found.push(...more);
  }
}

/** Until it holds; the test's own time-out ends what never does. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 2));
}
