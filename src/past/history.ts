/**
 * Everything about one device, fleet-wide: what its hosts recorded, and what was declared and not read by any.
 *
 * The records of one device fit in memory; of the others none is kept.
 */
import { decodeEvent, eventKey } from '../../events/codec.ts';
import type { Declaration } from '../../events/declaration.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import type { Stream } from '../../events/stream.ts';
import { messagesOf } from '../../events/stream-messages.ts';
import { NO_UUID, parseSubject, subjectFilter } from '../../events/subject.ts';
import { mergedByTime } from '../../store/past/merge.ts';
import type { Told } from '../../store/past/told.ts';
import { generationText, type Line, lineOf, whoText } from './line.ts';
import type { Source } from './source.ts';

/** A line, and on whose declaration the agent acted; null where that is not known. */
export type Entry = { readonly told: Told; readonly line: Line; readonly askedBy: string | null };

/** A declaration of which no host has recorded anything. */
export type Unread = { readonly sequence: number; readonly host: HostId; readonly declaration: Declaration };

/** `turnedAway`: also what was turned away on its subjects, for which all is read that hosts said of no device. */
export type HistoryOptions = { readonly host?: HostId | undefined; readonly turnedAway?: boolean };

/** By time, and each host's in its own order. */
export async function historyOf(
  source: Source,
  uuid: Uuid,
  { host, turnedAway = true }: HistoryOptions = {},
): Promise<readonly Entry[]> {
  const journals = new Map<string, Told[]>();
  const keep = (told: Told): void => {
    const key = `${told.host} ${told.journal}`;
    const facts = journals.get(key) ?? [];
    journals.set(key, facts);
    facts.push(told);
  };
  for await (const told of source.facts({ host, uuid })) keep(told);
  const others = turnedAway ? source.facts({ host, uuid: NO_UUID }) : [];
  for await (const told of others) if (speaksOf(told, uuid)) keep(told);
  for (const facts of journals.values()) facts.sort((a, b) => a.record.seq - b.record.seq);
  const entries: Entry[] = [];
  const askers = new Map<string, string>();
  for await (const told of mergedByTime([...journals.values()])) entries.push(entryOf(told, askers));
  return entries;
}

/** Who did it: whoever published it, or the agent, and for whom. */
export function actorOf({ line, askedBy }: Pick<Entry, 'line' | 'askedBy'>): string {
  return line.who ?? (askedBy === null ? 'agent' : `agent, for ${askedBy}`);
}

/** What could not be read for a device names the subject on which it came. */
function speaksOf(told: Told, uuid: Uuid): boolean {
  const { fact } = lineOf(told);
  const turnedAway = fact?.kind === 'rejected' || fact?.kind === 'unsupported';
  return turnedAway && fact.subject.endsWith(`.${uuid}`);
}

function entryOf(told: Told, askers: Map<string, string>): Entry {
  const line = lineOf(told);
  const key = `${told.journal} ${generationText(line.generation)}`;
  if (line.fact?.kind === 'declared') askers.set(key, whoText(line.fact.event));
  return { told, line, askedBy: askers.get(key) ?? null };
}

/** Declarations of the device that stand in the stream, and in no entry. Throws StreamUnavailable. */
export async function unreadOf(
  { stream, prefix }: { readonly stream: Stream; readonly prefix: string },
  uuid: Uuid,
  entries: readonly Entry[],
  only?: HostId,
): Promise<readonly Unread[]> {
  const recorded = new Set(entries.flatMap(({ told, line: { fact } }) => keyIn(told.host, fact)));
  const unread: Unread[] = [];
  const filter = subjectFilter(prefix, 'desired', { host: only, uuid });
  for await (const { sequence, subject, data } of messagesOf(stream, filter)) {
    const decoded = decodeEvent(parseSubject(prefix, subject), data);
    if (decoded.kind !== 'declaration') continue;
    const { declaration } = decoded;
    const { host } = declaration.data;
    if (!recorded.has(`${host} ${eventKey(declaration.event)}`)) unread.push({ sequence, host, declaration });
  }
  return unread;
}

function keyIn(host: HostId, fact: Line['fact']): string[] {
  return fact?.kind === 'declared' ? [`${host} ${eventKey(fact.event)}`] : [];
}
