/**
 * Ports around an agent's own, which kill the process at one point.
 */
import type { Outgoing, Streams } from '../../events/stream.ts';
import type { Host } from '../../reconciler/host.ts';
import type { AgentPorts } from '../../src/agent/agent.ts';
import type { Append, Journal } from '../../store/journal/journal.ts';
import { decodeHold, decodeIncarnation } from '../../store/registry/hold.ts';
import type { Registry, RegistryKey } from '../../store/registry/registry.ts';
import { overriding } from '../sim/overriding.ts';
import type { Effect, Point } from './points.ts';

/** Does the effects that it is named, unless the process dies of one of them. */
type Around = <T>(effects: readonly Effect[], act: () => Promise<T>) => Promise<T>;

/** The ports of a process that dies at the point. */
export function mortal(ports: AgentPorts, point: Point): AgentPorts {
  const around = deadly(point);
  return {
    ...ports,
    journal: mortalJournal(ports.journal, around),
    registry: mortalRegistry(ports, around),
    host: mortalHost(ports.host, around),
    streams: mortalStreams(ports.streams, around),
  };
}

/** What was asked for counts before and during, what was done counts after. */
function deadly({ effect, when, nth }: Point): Around {
  let left = nth;
  const isNow = (): boolean => {
    left -= 1;
    return left === 0;
  };
  return async (effects, act) => {
    if (!effects.includes(effect)) return act();
    const isLast = when !== 'after' && isNow();
    if (isLast && when === 'before') die();
    const answer = act();
    if (isLast) setImmediate(die);
    if (isDone(await answer) && when === 'after' && isNow()) die();
    return answer;
  };
}

/** No handler runs and nothing is flushed: the signal cannot be caught. */
function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

function isDone(answer: unknown): boolean {
  if (Array.isArray(answer)) return answer.every(isDone);
  const kind = (answer as { readonly kind?: unknown }).kind;
  return kind === 'durable' || kind === 'written' || kind === 'stored' || kind === 'ok';
}

function mortalJournal(journal: Journal, around: Around): Journal {
  const append = (what: Append) => around(effectsOf(what), () => journal.append(what));
  return overriding(journal, { append });
}

function effectsOf({ facts, positions }: Append): readonly Effect[] {
  if (facts.length > 0) return facts.map(({ kind }): Effect => `journal ${kind}`);
  return [positions?.forwarded === undefined ? 'journal cursor' : 'journal forwarded'];
}

function mortalRegistry({ registry, journal }: AgentPorts, around: Around): Registry {
  return overriding(registry, {
    write: (key, value, expected) =>
      around([writing(journal, key, value)], () => registry.write(key, value, expected)),
    erase: (key, expected) => around(['registry give back'], () => registry.erase(key, expected)),
  });
}

function writing(journal: Journal, key: RegistryKey, value: Uint8Array): Effect {
  if (key === 'fleet') return 'registry rebuilding';
  if (key.startsWith('host.')) {
    const { confirmed } = decodeIncarnation(value);
    return confirmed === undefined ? 'registry incarnation' : 'registry confirm';
  }
  if (decodeHold(value).phase === 'releasing') return 'registry releasing';
  const isNew = journal.latest(key).reservation?.phase === 'claiming';
  return isNew ? 'registry claim' : 'registry re-assert';
}

function mortalHost(host: Host, around: Around): Host {
  return overriding(host, {
    create: (uuid, place) => around(['sysfs create'], () => host.create(uuid, place)),
    remove: (uuid, place) => around(['sysfs remove'], () => host.remove(uuid, place)),
    setAttribute: (uuid, place, attribute) =>
      around(['sysfs attribute'], () => host.setAttribute(uuid, place, attribute)),
  });
}

function mortalStreams(streams: Streams, around: Around): Streams {
  const { observed } = streams;
  const appendAll = (messages: readonly Outgoing[]) =>
    around(['forward'], () => observed.appendAll(messages));
  return overriding(streams, { observed: overriding(observed, { appendAll }) });
}
