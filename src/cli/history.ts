/**
 * `history`: everything about one device, on all hosts, in order.
 */

import { actorOf, type Entry, historyOf, type Unread, unreadOf } from '../past/history.ts';
import { errnoText, generationText, whoText } from '../past/line.ts';
import { colourOf } from '../past/words.ts';
import { hostFlag, pastVerb } from './from.ts';
import { jsonOf } from './log.ts';
import { uuidsOf } from './targets.ts';
import type { Cell } from './terminal.ts';

export const HISTORY_HEADER = ['TIME', 'HOST', 'SEQ', 'GENERATION', 'WHO', 'ERRNO', 'WHAT'] as const;

export const history = pastVerb(async ({ args, flags, out }, open) => {
  const [uuid = ''] = uuidsOf(args);
  const host = hostFlag(flags);
  return open(async ({ source, fleet }) => {
    const entries = await historyOf(source, uuid, { host });
    const desired = fleet && { stream: fleet.streams.desired, prefix: fleet.prefix };
    const unread = desired === null ? [] : await unreadOf(desired, uuid, entries, host);
    if (flags['json'] === true) await out.raw(jsonLines(entries, unread));
    else if (entries.length + unread.length === 0) out.line(`nothing is known of ${uuid}`);
    else await out.rows(HISTORY_HEADER, [...entries.map(historyCells), ...unread.map(unreadCells)]);
    return 'ok';
  });
});

function* jsonLines(entries: readonly Entry[], unread: readonly Unread[]): Generator<string> {
  for (const { told } of entries) yield `${jsonOf(told)}\n`;
  for (const one of unread) yield `${JSON.stringify({ host: one.host, unread: one })}\n`;
}

/** An entry under HISTORY_HEADER. */
export function historyCells({ line, askedBy }: Pick<Entry, 'line' | 'askedBy'>): Cell[] {
  const { time, host, seq, generation, errno, why, fact } = line;
  const colour = fact === null ? undefined : colourOf(fact);
  return [
    { text: time },
    { text: host },
    { text: String(seq) },
    { text: generationText(generation) },
    { text: actorOf({ line, askedBy }) },
    { text: errnoText(errno) },
    colour === undefined ? { text: why } : { text: why, colour },
  ];
}

/** Its time is the one that whoever declared it gave. */
function unreadCells({ host, sequence, declaration: { event, desired, data } }: Unread): Cell[] {
  const what = desired === 'present' ? `declared: ${data.type} on ${data.parent}` : 'withdrawn';
  return [
    { text: event.time },
    { text: host },
    { text: '-' },
    { text: `-/${sequence}` },
    { text: whoText(event) },
    { text: '-' },
    { text: `${what}; not read by the host yet`, colour: 'yellow' },
  ];
}
