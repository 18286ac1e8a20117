/**
 * Following devices: nothing falls between listing them and following, and a server that is away is waited for.
 */
import { describe, expect, test } from 'vitest';
import { encodeCommand, encodeDeclaration } from '../../../events/codec.ts';
import type { HostId } from '../../../events/names.ts';
import { StreamMissing, type Streams, StreamUnavailable } from '../../../events/stream.ts';
import { createMemoryStreams } from '../../../events/stream-memory.ts';
import { type Followed, followDevices } from '../../../src/look/follow-devices.ts';
import { uuidOf } from '../../bench/names.ts';

const TIME = '2026-01-01T00:00:00.000Z';
let events = 0;

function eventOf() {
  return { id: `id-${++events}`, source: 'tests', time: TIME };
}

async function declare({ desired }: Streams, host: HostId, at: number): Promise<void> {
  const data = { uuid: uuidOf(at), host, parent: 'mtty', type: 'mtty-2' };
  await desired.append(encodeDeclaration('mdev', { desired: 'present', event: eventOf(), data }));
}

/** Follows, with one thing done before each look, until there is none left; answers what was told, as words. */
async function follow(streams: Streams, doing: readonly (() => unknown)[], options: { host?: HostId } = {}) {
  const left = [...doing];
  const away: string[] = [];
  const followed = followDevices({ streams, prefix: 'mdev' }, options, {
    again: async () => {
      const next = left.shift();
      await next?.();
      return next !== undefined;
    },
    isStopped: () => false,
    onAway: ({ message }) => away.push(message),
  });
  const told: string[] = [];
  for await (const one of followed) told.push(...wordsOf(one));
  return { told, away };
}

function wordsOf({ isListed, changes }: Followed): readonly string[] {
  return changes.map((one) => {
    const what = one.change === 'gone' ? `${one.host} gone` : one.row.host;
    return `${isListed ? 'listed' : 'told'} ${what}`;
  });
}

/** The streams, of which the desired one answers with the error while `isAway`. */
function failing(streams: Streams, error: Error) {
  const state = { isAway: false };
  const desired = new Proxy(streams.desired, {
    get(target, name) {
      if (name === 'next' && state.isAway) return () => Promise.reject(error);
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const { observed, command } = streams;
  return { state, streams: { desired, observed, command } as Streams };
}

describe('following devices', () => {
  test('tells what there is, by host, and then what comes, of one host if that is asked for', async () => {
    const streams = createMemoryStreams({ now: () => TIME });
    await declare(streams, 'host-b', 1);
    await declare(streams, 'host-a', 2);
    const both = await follow(streams, [() => declare(streams, 'host-c', 3), () => undefined]);
    expect(both.told).toEqual(['listed host-a', 'listed host-b', 'told host-c']);
    const one = await follow(streams, [() => declare(streams, 'host-b', 4), () => undefined], {
      host: 'host-a',
    });
    expect(one.told).toEqual(['listed host-a']);
  });

  test('tells nothing of hosts that are forgotten', async () => {
    const streams = createMemoryStreams({ now: () => TIME });
    await declare(streams, 'host-a', 1);
    const data = { host: 'host-a', why: 'burnt down' };
    await streams.command.append(encodeCommand('mdev', { command: 'forget', event: eventOf(), data }));
    const { told } = await follow(streams, [() => declare(streams, 'host-a', 2), () => undefined]);
    expect(told).toEqual([]);
  });

  test('tells that all is gone of a host that is forgotten meanwhile, and what is there once it is back', async () => {
    const streams = createMemoryStreams({ now: () => TIME });
    await declare(streams, 'host-a', 1);
    await declare(streams, 'host-b', 2);
    const act = (command: 'forget' | 'rebind') => () => {
      const data = { host: 'host-a', why: 'burnt down' };
      return streams.command.append(encodeCommand('mdev', { command, event: eventOf(), data }));
    };
    const again = () => declare(streams, 'host-a', 3);
    const { told } = await follow(streams, [
      act('rebind'),
      act('forget'),
      again,
      act('rebind'),
      () => undefined,
    ]);
    const back = ['told host-a', 'told host-a'];
    expect(told).toEqual(['listed host-a', 'listed host-b', 'told host-a gone', ...back]);
  });

  test('waits for a server that is away, and misses nothing', async () => {
    const { state, streams } = failing(
      createMemoryStreams({ now: () => TIME }),
      new StreamUnavailable('no answer'),
    );
    const { told, away } = await follow(streams, [
      () => {
        state.isAway = true;
        return declare(streams, 'host-a', 1);
      },
      () => {
        state.isAway = false;
      },
      () => undefined,
    ]);
    expect({ told, away }).toEqual({ told: ['told host-a'], away: ['no answer'] });
  });

  test('ends when the stream is gone for good', async () => {
    const { state, streams } = failing(createMemoryStreams({ now: () => TIME }), new StreamMissing('none'));
    const doing = () => {
      state.isAway = true;
    };
    await expect(follow(streams, [doing, doing])).rejects.toThrow(StreamMissing);
  });
});
