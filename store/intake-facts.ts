/**
 * What a message on a host's subject becomes in its journal.
 *
 * An event that is recorded already becomes nothing: its id is its identity, wherever it stands in the stream.
 * What cannot be read is recorded too, so that it can be told, and read again by a program that knows more.
 */
import { type Decoded, decodeEvent, eventKey, excerpt } from '../events/codec.ts';
import type { Command } from '../events/command.ts';
import { sha256 } from '../events/digest.ts';
import type { Fact } from '../events/fact.ts';
import type { Message } from '../events/stream.ts';
import { NO_UUID, parseSubject } from '../events/subject.ts';
import { decide } from './decide.ts';
import type { CursorName, Journal } from './journal/journal.ts';
import type { Allowance } from './rejections.ts';

/** Where the message was read, and what for. */
export type Reading = {
  readonly name: CursorName;
  readonly journal: Journal;
  readonly prefix: string;
  readonly rejections: Allowance;
};

/** The facts to record for the message, decided on what the journal has by now. */
export function factsOf(message: Message, epoch: number, reading: Reading): readonly Fact[] {
  const { journal, prefix } = reading;
  const decoded = decodeEvent(parseSubject(prefix, message.subject), message.data);
  switch (decoded.kind) {
    case 'declaration': {
      const { event, data } = decoded.declaration;
      if (journal.seen(data.uuid, eventKey(event))) return [];
      const device = journal.latest(data.uuid);
      return [decide(device, decoded.declaration, { epoch, sequence: message.sequence })];
    }
    case 'command': {
      const { event, data } = decoded.command;
      const about = 'uuid' in data ? data.uuid : NO_UUID;
      if (journal.seen(about, eventKey(event))) return [];
      return [factOfCommand(decoded.command, message.sequence)];
    }
    default:
      return unread(message, decoded, reading);
  }
}

function unread(
  message: Message,
  decoded: Extract<Decoded, { kind: 'unsupported' | 'rejected' }>,
  { name: stream, rejections }: Reading,
): readonly Fact[] {
  const { sequence, subject, data } = message;
  const about = { v: 1, stream, sequence, subject, digest: sha256(data) } as const;
  if (decoded.kind === 'unsupported') return [{ kind: 'unsupported', ...about, type: decoded.type }];
  const suppressed = rejections.admit();
  if (suppressed === undefined) return [];
  return [{ kind: 'rejected', ...about, reason: decoded.reason, excerpt: excerpt(data), suppressed }];
}

function factOfCommand(order: Command, sequence: number): Fact {
  const { event, command, data } = order;
  switch (command) {
    case 'retry':
      return { kind: 'commanded', v: 1, uuid: data.uuid, sequence, event, command };
    case 'release':
      return { kind: 'commanded', v: 1, uuid: data.uuid, sequence, event, command, why: data.why };
    case 'pause':
    case 'resume':
      return { kind: 'steered', v: 1, sequence, event, command };
    case 'cordon':
    case 'uncordon':
      return { kind: 'cordoned', v: 1, sequence, event, command, parent: data.parent ?? null };
    case 'call':
      return { kind: 'told', v: 1, sequence, event, command };
    case 'forget':
    case 'rebind':
      return { kind: 'told', v: 1, sequence, event, command, why: data.why };
    case 'reopen':
      throw new Error('bug: an act on the whole fleet was read from the subject of a host');
    default:
      return order satisfies never;
  }
}
