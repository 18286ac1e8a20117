/**
 * An agent's ports, watched: what goes through them is told to a watcher, and nothing else changes.
 *
 * So what is measured is seen at one place, and no part of the agent knows that it is measured. A watcher is told after
 * the fact, must be quick, and must not throw.
 */
import type { Fact } from '../../events/fact.ts';
import type { Message, Ring, Stream, Streams } from '../../events/stream.ts';
import type { Clock } from '../../reconciler/clock.ts';
import type { Operation } from '../../reconciler/errno.ts';
import type { Host, WriteResult } from '../../reconciler/host.ts';
import type { AppendResult, CursorName, Journal } from '../../store/journal/journal.ts';
import type { AgentPorts, PassObserver } from '../agent/agent.ts';

export type Watcher = PassObserver & {
  /** Facts were offered to the journal, and this is its answer. */
  appended(facts: readonly Fact[], result: AppendResult): void;
  /** A write to sysfs has ended, or is stuck. */
  wrote(operation: Operation, result: WriteResult['kind'], tookMs: number): void;
  /** The stream was read. */
  took(stream: CursorName, messages: readonly Message[]): void;
  /** The doorbell rang. */
  rang(ring: Ring): void;
  connection(state: 'up' | 'down'): void;
};

/** The ports with the watcher behind them. */
export function watchedPorts(ports: AgentPorts, watcher: Watcher): AgentPorts {
  return {
    ...ports,
    journal: watchedJournal(ports.journal, watcher),
    host: watchedHost(ports.host, ports.clock, watcher),
    streams: watchedStreams(ports.streams, watcher),
    observer: watcher,
  };
}

/** The journal, told of what is appended. */
export function watchedJournal(journal: Journal, watcher: Pick<Watcher, 'appended'>): Journal {
  return {
    identity: journal.identity,
    tail: () => journal.tail(),
    positions: () => journal.positions(),
    device: (uuid) => journal.device(uuid),
    latest: (uuid) => journal.latest(uuid),
    devices: () => journal.devices(),
    seen: (uuid, key) => journal.seen(uuid, key),
    append: (append) =>
      journal.append(append).then((result) => {
        watcher.appended(append.facts, result);
        return result;
      }),
    read: (after, limit) => journal.read(after, limit),
    close: () => journal.close(),
  };
}

/** The host, told of writes and what they took. */
export function watchedHost(host: Host, clock: Clock, watcher: Pick<Watcher, 'wrote'>): Host {
  const timed = async (operation: Operation, write: Promise<WriteResult>): Promise<WriteResult> => {
    const beganMs = clock.monotonicMs();
    const result = await write;
    watcher.wrote(operation, result.kind, clock.monotonicMs() - beganMs);
    return result;
  };
  return {
    observe: (uuid, look) => host.observe(uuid, look),
    survey: () => host.survey(),
    stock: () => host.stock(),
    create: (uuid, place) => timed('create', host.create(uuid, place)),
    remove: (uuid, place) => timed('remove', host.remove(uuid, place)),
    setAttribute: (uuid, place, one) => timed('attribute', host.setAttribute(uuid, place, one)),
    onChange: (listener) => host.onChange(listener),
    close: () => host.close(),
  };
}

/** The streams, told of what declarations and commands are read, and of rings and connections. */
export function watchedStreams(
  streams: Streams,
  watcher: Pick<Watcher, 'took' | 'rang' | 'connection'>,
): Streams {
  return {
    desired: watchedStream(streams.desired, (messages) => watcher.took('desired', messages)),
    observed: streams.observed,
    command: watchedStream(streams.command, (messages) => watcher.took('command', messages)),
    doorbell: (host, onRing) =>
      streams.doorbell(host, (ring) => {
        watcher.rang(ring);
        onRing(ring);
      }),
    onConnection: (listener) =>
      streams.onConnection((state) => {
        watcher.connection(state);
        listener(state);
      }),
    close: () => streams.close(),
  };
}

function watchedStream(stream: Stream, took: (messages: readonly Message[]) => void): Stream {
  return {
    name: stream.name,
    append: (message) => stream.append(message),
    appendAll: (messages) => stream.appendAll(messages),
    info: () => stream.info(),
    at: (sequence) => stream.at(sequence),
    next: async (filter, after, limit) => {
      const messages = await stream.next(filter, after, limit);
      took(messages);
      return messages;
    },
    last: (filter) => stream.last(filter),
    lastPerSubject: (filter) => stream.lastPerSubject(filter),
    subjects: (filter) => stream.subjects(filter),
  };
}
