/**
 * `log`: records as they were written, one a line, as many as there are.
 */
import { facts } from '../../events/fact.ts';
import { msOf, parseTime, timeOf } from '../../store/past/moment.ts';
import type { Told } from '../../store/past/told.ts';
import { didYouMean } from '../declare/nearest.ts';
import { Failure } from '../exit.ts';
import { errnoText, generationText, type Line, lineOf } from '../past/line.ts';
import { colourOf } from '../past/words.ts';
import { hostFlag, pastVerb } from './from.ts';
import { uuidsOf } from './targets.ts';
import type { Cell } from './terminal.ts';
import { untilStopped } from './until-stopped.ts';
import type { Invocation } from './verb.ts';

const HEADER = ['TIME', 'HOST', 'SEQ', 'KIND', 'UUID', 'GENERATION', 'WHO', 'ERRNO', 'WHY'] as const;

export const log = pastVerb(async (invocation, open) => {
  const { flags, out } = invocation;
  const host = hostFlag(flags);
  const [uuid] = flags['uuid'] === undefined ? [] : uuidsOf([String(flags['uuid'])]);
  const keep = filterOf(invocation);
  const follower = flags['follow'] === true ? untilStopped() : undefined;
  const at = follower === undefined ? {} : { atOnce: 1 };
  return open(async ({ source }) => {
    const told = kept(source.facts({ host, uuid }, follower), keep);
    if (flags['json'] === true) await out.raw(jsonLines(told), at);
    else await out.rows(HEADER, lines(told), at);
    return 'ok';
  });
});

type Keep = (told: Told) => boolean;

/** Throws a Failure for a time that is none. Of a kind that nobody knows a warning is given. */
function filterOf({ flags, out }: Invocation): Keep {
  const since = timeFlag(flags['since'], '--since', Number.NEGATIVE_INFINITY);
  const until = timeFlag(flags['until'], '--until', Number.POSITIVE_INFINITY);
  const kind = flags['kind'];
  if (typeof kind === 'string' && !Object.hasOwn(facts, kind)) {
    out.warn(`no fact of kind ${kind} is known${didYouMean(kind, Object.keys(facts))}`);
  }
  const timed = flags['since'] !== undefined || flags['until'] !== undefined;
  return (told) => {
    if (timed) {
      const ms = msOf(timeOf(told.record));
      if (ms < since || ms > until) return false;
    }
    return kind === undefined || lineOf(told).kind === kind;
  };
}

function timeFlag(given: unknown, flag: string, otherwise: number): number {
  if (given === undefined) return otherwise;
  const ms = parseTime(String(given));
  if (ms !== undefined) return ms;
  throw new Failure(`reading the arguments: ${flag} is not a time: ${given}`, {
    outcome: 'usage',
    wayOut: 'give a time of RFC 3339 with its zone, such as 2026-01-31T14:05:00Z',
  });
}

async function* kept(told: AsyncIterable<Told>, keep: Keep): AsyncGenerator<Told> {
  for await (const one of told) if (keep(one)) yield one;
}

/** Whose it is, and the record's very bytes, which are JSON. */
async function* jsonLines(told: AsyncIterable<Told>): AsyncGenerator<string> {
  for await (const one of told) yield `${jsonOf(one)}\n`;
}

export function jsonOf({ host, journal, record }: Told): string {
  const head = JSON.stringify({ host, journal, hash: record.hash });
  return `${head.slice(0, -1)},"record":${new TextDecoder().decode(record.bytes)}}`;
}

async function* lines(told: AsyncIterable<Told>): AsyncGenerator<readonly Cell[]> {
  for await (const one of told) yield cellsOf(lineOf(one));
}

function cellsOf({ time, host, seq, kind, uuid, generation, who, errno, why, fact }: Line): Cell[] {
  const colour = fact === null ? undefined : colourOf(fact);
  return [
    { text: time },
    { text: host },
    { text: String(seq) },
    colour === undefined ? { text: kind } : { text: kind, colour },
    { text: uuid ?? '-' },
    { text: generationText(generation) },
    { text: who ?? '-' },
    { text: errnoText(errno) },
    { text: why },
  ];
}
