/**
 * The one place where the bytes of an event become a value, and back.
 *
 * Nothing throws on bad input: what does not parse, lies about its subject, or is of a
 * version from the future is an answer like any other, so that the events behind it are
 * still read. The records of a journal have a codec of their own, in record.ts.
 */
import type { z } from 'zod';
import { type Command, type CommandName, commandEvents, commandNamed, typeOfCommand } from './command.ts';
import {
  ABSENT_TYPE,
  absentEvent,
  type CloudEvent,
  cloudEvent,
  type Declaration,
  type EventMeta,
  PRESENT_TYPE,
  presentEvent,
} from './declaration.ts';
import type { HostId, Uuid } from './names.ts';
import { signerOf } from './signature.ts';
import { formatSubject, NO_HOST, NO_UUID, type Subject } from './subject.ts';

/** Most bytes in one event. */
export const EVENT_BYTES_MAX = 256 * 1024;
/** Most bytes of a rejected input that are kept with the rejection. */
export const EXCERPT_BYTES_MAX = 1024;

/** Type names of this project whose version this program does not know. */
const OURS = /^io\.mdevfleet\.(device|command)\.[a-z-]+\.v[0-9]+$/;

/** An event as read. */
export type Decoded =
  | { readonly kind: 'declaration'; readonly declaration: Declaration }
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'unsupported'; readonly type: string }
  | { readonly kind: 'rejected'; readonly reason: string };

/** An event ready to be published; `id` is the message id, which names the source since ids are unique only there. */
export type Encoded = { readonly subject: string; readonly id: string; readonly data: Uint8Array };

const decoder = new TextDecoder('utf-8', { fatal: true });

/** At most EXCERPT_BYTES_MAX of the input, readable: what is not UTF-8 becomes U+FFFD. */
export function excerpt(data: Uint8Array): string {
  return new TextDecoder().decode(data.subarray(0, EXCERPT_BYTES_MAX));
}

/** Writes a declaration as a CloudEvent for the subject of its host and UUID. */
export function encodeDeclaration(prefix: string, declaration: Declaration): Encoded {
  const type = declaration.desired === 'present' ? PRESENT_TYPE : ABSENT_TYPE;
  return encode(prefix, 'desired', type, declaration.event, declaration.data);
}

/** Writes a command as a CloudEvent for the subject of its host and, if it is about one, its UUID. */
export function encodeCommand(prefix: string, { command, event, data }: Command): Encoded {
  return encode(prefix, 'command', typeOfCommand(command), event, data);
}

/** What an event of ours is about: most of them a UUID on a host, some a whole host, or the whole fleet. */
type About = { readonly host?: HostId; readonly uuid?: Uuid } & Readonly<Record<string, unknown>>;

/** The subject that an event names itself: `<host>/<uuid>`, `<host>/_` for a whole host, `_/_` for the fleet. */
function ownSubject({ host, uuid }: About): string {
  return `${host ?? NO_HOST}/${uuid ?? NO_UUID}`;
}

function encode(
  prefix: string,
  kind: 'desired' | 'command',
  type: string,
  event: EventMeta,
  data: About,
): Encoded {
  const { host = null, uuid = null } = data;
  const body: CloudEvent = {
    specversion: '1.0',
    ...event,
    type,
    subject: ownSubject(data),
    datacontenttype: 'application/json',
    data,
  };
  return {
    subject: formatSubject(prefix, { kind, host, uuid }),
    id: eventKey(event),
    data: new TextEncoder().encode(JSON.stringify(body)),
  };
}

/** What makes an event the same event: its id within its source. A blank in the source is escaped: the first one ends it. */
export function eventKey({ source, id }: EventMeta): string {
  return `${source.replace(/[% ]/g, encodeURIComponent)} ${id}`;
}

/** The types of the events that this program can read. */
export function eventTypes(): readonly string[] {
  const commands = Object.keys(commandEvents) as CommandName[];
  return [PRESENT_TYPE, ABSENT_TYPE, ...commands.map(typeOfCommand)];
}

/** Reads the event in a message's body; `subject` is the parsed subject it arrived under. */
export function decodeEvent(subject: Subject | undefined, data: Uint8Array): Decoded {
  if (subject === undefined) return rejected('the subject is not one of this fleet');
  if (data.length > EVENT_BYTES_MAX) return rejected(`larger than ${EVENT_BYTES_MAX} bytes`);
  const json = parseJson(data);
  if (json === undefined) return rejected('not JSON in UTF-8');
  const event = cloudEvent.safeParse(json);
  if (!event.success) return rejected(explain(event.error));
  if (signerOf(event.data).kind === 'wrong') return rejected('its signature is not that of its signer');
  return decodeTyped(subject, event.data);
}

function decodeTyped(subject: Subject, event: CloudEvent): Decoded {
  switch (event.type) {
    case PRESENT_TYPE:
      return declared(subject, event, 'present', presentEvent.safeParse(event));
    case ABSENT_TYPE:
      return declared(subject, event, 'absent', absentEvent.safeParse(event));
    default:
      return decodeCommand(subject, event);
  }
}

function decodeCommand(subject: Subject, event: CloudEvent): Decoded {
  const command = commandNamed(event.type);
  if (command !== undefined) return commanded(subject, event, command);
  return OURS.test(event.type)
    ? { kind: 'unsupported', type: event.type }
    : rejected(`unknown event type ${event.type}`);
}

function commanded(subject: Subject, event: CloudEvent, command: CommandName): Decoded {
  const parsed = commandEvents[command].safeParse(event);
  if (!parsed.success) return rejected(explain(parsed.error));
  const { data } = parsed.data;
  const lie = disagreement(subject, 'command', event, data);
  if (lie !== undefined) return rejected(lie);
  return { kind: 'command', command: { command, event: meta(event), data } as Command };
}

type Parsed<T> = { success: true; data: { data: T } } | { success: false; error: z.ZodError };

function declared<D extends Declaration['desired']>(
  subject: Subject,
  event: CloudEvent,
  desired: D,
  parsed: Parsed<Extract<Declaration, { desired: D }>['data']>,
): Decoded {
  if (!parsed.success) return rejected(explain(parsed.error));
  const data = parsed.data.data;
  const lie = disagreement(subject, 'desired', event, data);
  if (lie !== undefined) return rejected(lie);
  return { kind: 'declaration', declaration: { desired, event: meta(event), data } as Declaration };
}

/** What the subject, the event's own subject and the data say differently, if anything. */
function disagreement(
  subject: Subject,
  kind: Subject['kind'],
  event: CloudEvent,
  data: About,
): string | undefined {
  const { host = null, uuid = null } = data;
  if (subject.kind !== kind)
    return `an event of type ${event.type} does not belong on a ${subject.kind} subject`;
  if (subject.host !== host)
    return `published for host ${subject.host ?? NO_HOST}, but its data names ${host ?? 'none'}`;
  if (subject.uuid !== uuid)
    return `published for ${subject.uuid ?? 'no device'}, but its data names ${uuid ?? 'none'}`;
  const own = ownSubject(data);
  return event.subject === own ? undefined : `its subject is ${event.subject}, but its data is about ${own}`;
}

/** A signer that is named has been found to have signed. */
function meta({ id, source, time, signer }: CloudEvent): EventMeta {
  return { id, source, time, ...(typeof signer === 'string' ? { signer } : {}) };
}

function rejected(reason: string): Decoded {
  return { kind: 'rejected', reason };
}

/** The issues that zod found, in one line: `data.parent: not a parent's name`. */
export function explain(error: z.ZodError): string {
  return error.issues
    .map((issue) => (issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message))
    .join('; ');
}

function parseJson(data: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(data));
  } catch {
    return undefined;
  }
}
