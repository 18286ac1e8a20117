/**
 * What a fleet's streams and bucket are called on a server, and how they must be set, as data.
 *
 * All keep everything: nothing is deleted for age, number or size, nor by anyone. Every setting
 * that this relies on is spelled out, defaults too, since they differ between servers.
 */
import { DiscardPolicy, RetentionPolicy, StorageType, type StreamConfig } from '@nats-io/jetstream';
import { nanos } from 'nats';
import type { StreamName } from '../stream.ts';
import { type SubjectKind, subjectFilter } from '../subject.ts';

/** For how long the server drops a second message with the same id. */
const DUPLICATE_WINDOW_MS = 120_000;
/** Most bytes of a message: what a server takes unless told otherwise; readers ask for as many as they can hold. */
const MESSAGE_BYTES_MAX = 1024 * 1024;

/** The settings of one stream. */
export type WantedStream = Partial<StreamConfig> & Pick<StreamConfig, 'name' | 'subjects'>;

/** The server's name of a fleet's stream: `mdev`, `desired` → `MDEV_DESIRED`. */
export function streamNameOf(prefix: string, stream: StreamName): string {
  return named(prefix, stream);
}

/** The server's name of a fleet's bucket: `mdev` → `MDEV_REGISTRY`. */
export function bucketNameOf(prefix: string): string {
  return named(prefix, 'registry');
}

/** The server's name of the stream that a fleet's bucket is. */
export function bucketStreamOf(prefix: string): string {
  return `KV_${bucketNameOf(prefix)}`;
}

function named(prefix: string, what: string): string {
  return `${prefix}_${what}`.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_');
}

const ABOUT: Readonly<Record<StreamName, string>> = {
  desired: 'Declarations of mediated devices',
  observed: "Facts of the hosts' journals",
  command: "Operators' commands to hosts",
};

/** The streams and the bucket of a fleet. */
export function wantedStreams(prefix: string): readonly WantedStream[] {
  return [
    { ...streamOf(prefix, 'desired'), republish: doorbell(prefix, 'desired') },
    streamOf(prefix, 'observed'),
    { ...streamOf(prefix, 'command'), republish: doorbell(prefix, 'command') },
    bucketOf(prefix),
  ];
}

const KEPT = {
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  discard: DiscardPolicy.New,
  discard_new_per_subject: false,
  max_age: 0,
  max_msgs: -1,
  max_bytes: -1,
  max_msg_size: MESSAGE_BYTES_MAX,
  max_consumers: -1,
  duplicate_window: nanos(DUPLICATE_WINDOW_MS),
  no_ack: false,
  sealed: false,
  deny_delete: true,
  deny_purge: true,
  allow_rollup_hdrs: false,
  allow_msg_ttl: false,
  allow_direct: true,
} satisfies Partial<StreamConfig>;

function streamOf(prefix: string, stream: StreamName): WantedStream {
  return {
    ...KEPT,
    name: streamNameOf(prefix, stream),
    description: ABOUT[stream],
    subjects: [subjectFilter(prefix, stream)],
    max_msgs_per_subject: -1,
  };
}

/** Rings say where to look and carry no data; the host and UUID are the wildcards of the filter. */
function doorbell(prefix: string, kind: SubjectKind): NonNullable<StreamConfig['republish']> {
  return {
    src: subjectFilter(prefix, kind),
    dest: `${prefix}.doorbell.{{wildcard(1)}}.{{wildcard(2)}}`,
    headers_only: true,
  };
}

/** A key-value bucket is a stream of this name and these subjects that keeps the last value of each key. */
function bucketOf(prefix: string): WantedStream {
  const bucket = bucketNameOf(prefix);
  return {
    ...KEPT,
    name: bucketStreamOf(prefix),
    description: 'Who holds which UUID in the fleet',
    subjects: [`$KV.${bucket}.>`],
    max_msgs_per_subject: 1,
  };
}

/** Settings under which a stream would not hold what was published to it; they must not be there. */
export const FOREIGN_SETTINGS = ['mirror', 'sources', 'subject_transform'] as const;
