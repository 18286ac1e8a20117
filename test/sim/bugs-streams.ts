/**
 * Planted bugs about the streams: what is read, what is skipped, and what is forwarded.
 */
import type { Declaration } from '../../events/declaration.ts';
import type { FactOf } from '../../events/fact.ts';
import type { Message, Stream, StreamInfo, Streams } from '../../events/stream.ts';
import { type Bugs, spoil } from './bug.ts';
import type { Bug } from './machine.ts';
import { overriding } from './overriding.ts';

/** A time that never comes. */
const NEVER_MS = 2 ** 31 - 1;

function desiredAs(change: (desired: Stream) => Partial<Stream>): Bug {
  return spoil(({ streams }) => ({
    streams: withStream(streams, 'desired', change(streams.desired)),
  }));
}

function observedAs(change: (observed: Stream) => Partial<Stream>): Bug {
  return spoil(({ streams }) => ({
    streams: withStream(streams, 'observed', change(streams.observed)),
  }));
}

function withStream(
  streams: Streams,
  name: 'desired' | 'observed' | 'command',
  methods: Partial<Stream>,
): Streams {
  return overriding(streams, { [name]: overriding(streams[name], methods) });
}

export const STREAM_BUGS: Bugs = {
  'what is missing after a rewind taken for withdrawn': spoil(({ journal }) => ({
    journal: overriding(journal, {
      append: async (append) => {
        const [fact] = append.facts;
        if (fact?.kind !== 'epoch' || fact.stream !== 'desired' || fact.cause === 'First')
          return journal.append(append);
        const { epoch, sequence } = fact.cursor;
        const generation = { epoch, sequence: Math.max(1, sequence) };
        const wanted = [...journal.devices()].filter(
          ({ desired }) => desired?.kind === 'present' && desired.generation.sequence > sequence,
        );
        const withdrawn = wanted.map(({ uuid }) => withdrawal(uuid, generation));
        return journal.append({ ...append, facts: [...append.facts, ...withdrawn] });
      },
    }),
  })),
  'a stream never looked at again': spoil(({ streams }) => {
    let known: StreamInfo | undefined;
    const { desired } = streams;
    return {
      streams: withStream(streams, 'desired', {
        info: async () => {
          const info = await desired.info();
          known ??= info;
          return { ...known, lastSequence: Math.max(known.lastSequence, info.lastSequence) };
        },
        at: cachedAt(desired),
      }),
    };
  }),
  'only the time of creation compared': desiredAs((desired) => ({
    info: async () => ({ ...(await desired.info()), lastSequence: Number.MAX_SAFE_INTEGER }),
    at: cachedAt(desired),
  })),
  'only the last word read after a rewind': desiredAs((desired) => {
    const last = new Map<string, Message>();
    return {
      lastPerSubject: async function* (filter) {
        for await (const one of desired.lastPerSubject(filter)) {
          last.set(one.subject, one);
          yield one;
        }
      },
      next: async (filter, after, limit) => {
        const word = last.get(filter);
        return word === undefined ? desired.next(filter, after, limit) : [word];
      },
    };
  }),
  'only the first of what was read taken': desiredAs((desired) => ({
    next: async (filter, after, limit) => {
      const messages = await desired.next(filter, after, limit);
      return filter.includes('*') ? messages.slice(-1) : messages;
    },
  })),
  'a holder that was told to go taken for one that stays': desiredAs(() => ({ last: async () => undefined })),
  '`replaces` ignored': desiredAs((desired) => ({
    at: async (sequence) => mapped(await desired.at(sequence)),
    next: async (...args) => (await desired.next(...args)).map(withoutReplaces),
    lastPerSubject: async function* (filter) {
      for await (const one of desired.lastPerSubject(filter)) yield withoutReplaces(one);
    },
  })),
  'a ring that was lost never made up for': ({ ports, options }) => {
    const limits = { ...options.limits, pollMs: NEVER_MS, doubtMs: NEVER_MS, proveMs: NEVER_MS };
    return { ports, options: { ...options, limits } };
  },
  'commands not read': spoil(({ streams }) => ({
    streams: withStream(streams, 'command', { next: async () => [] }),
  })),
  'a fact that was not acknowledged skipped': observedAs((observed) => ({
    appendAll: async (messages) => {
      const answers = await observed.appendAll(messages);
      return answers.map((one) =>
        one.kind === 'unknown' ? { kind: 'stored', sequence: 1, duplicate: true } : one,
      );
    },
  })),
  'only the first fact of a batch forwarded': observedAs((observed) => ({
    appendAll: async (messages) => {
      const [first] = await observed.appendAll(messages.slice(0, 1));
      return first === undefined ? [] : messages.map(() => first);
    },
  })),
  'facts sent again without their ids': observedAs((observed) => {
    let sent = 0;
    return {
      appendAll: (messages) => observed.appendAll(messages.map((one) => ({ ...one, id: `fact ${++sent}` }))),
    };
  }),
  'a journal that was put back goes on': observedAs(() => ({
    next: async () => [],
    at: async () => undefined,
  })),
  'a lost observed stream not noticed': observedAs((observed) => ({
    at: async (sequence) => (await observed.at(sequence)) ?? undefined,
    next: async () => [],
  })),
};

function cachedAt(desired: Stream): Stream['at'] {
  const known = new Map<number, Message | undefined>();
  return async (sequence) => {
    if (!known.has(sequence)) known.set(sequence, await desired.at(sequence));
    return known.get(sequence);
  };
}

function withdrawal(uuid: string, generation: FactOf<'declared'>['generation']): FactOf<'declared'> {
  const event = {
    id: `missing-${uuid}`,
    source: 'nobody',
    time: '2026-01-01T00:00:00Z',
  } satisfies Declaration['event'];
  const nothing = { claim: null, attributes: [], labels: {}, set: null, replaces: null };
  return {
    kind: 'declared',
    v: 1,
    uuid,
    generation,
    event,
    desired: 'absent',
    ...nothing,
    outcome: 'withdrawn',
  };
}

function mapped(message: Message | undefined): Message | undefined {
  return message && withoutReplaces(message);
}

function withoutReplaces(message: Message): Message {
  const text = new TextDecoder().decode(message.data).replace(/,"replaces":\{[^}]*\}/, '');
  return { ...message, data: new TextEncoder().encode(text) };
}
