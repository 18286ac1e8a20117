import { expect, test } from 'vitest';
import { encodeRecord, NO_RECORD } from '../../../events/record.ts';
import { createMemoryStreams } from '../../../events/stream-memory.ts';
import { formatSubject, INVENTORY } from '../../../events/subject.ts';
import { unknownNames } from '../../../src/cli/unknown.ts';

const TIME = '2026-01-01T00:00:00.000Z';

/** A fleet in which host-a has said what it offers. */
async function fleet() {
  const streams = createMemoryStreams({ now: () => TIME });
  const record = encodeRecord(
    { seq: 1, time: TIME, boot: 'boot', prev: NO_RECORD },
    {
      ...{ kind: 'inventory', v: 1, kernel: '6.12', labels: {}, omitted: 0 },
      types: [{ id: 'mtty-2', name: 'Dual port serial', api: 'vfio-pci' }],
      parents: [{ name: 'mtty', driver: null, types: [{ id: 'mtty-2', capacity: 12 }] }],
    },
  );
  const about = { kind: 'observed', host: 'host-a', uuid: null, topic: INVENTORY } as const;
  await streams.observed.append({ subject: formatSubject('mdev', about), id: 'one', data: record.bytes });
  return { streams, prefix: 'mdev' };
}

test.each([
  [{ host: 'hots-a' }, ['the fleet has no host hots-a; did you mean host-a?']],
  [{ parent: 'mty' }, ['the fleet has no parent mty; did you mean mtty?']],
  [{ type: 'mtty2' }, ['the fleet has no type mtty2; did you mean mtty-2?']],
  [{ host: 'elsewhere' }, ['the fleet has no host elsewhere']],
  [{ host: 'host-a', parent: 'mtty', type: 'mtty-2' }, []],
  [{}, []],
])('%j', async (flags, warnings) => {
  expect(await unknownNames(await fleet(), flags)).toEqual(warnings);
});
