import { describe, expect, test } from 'vitest';
import { terminalReason, waitingReason } from '../../../events/reasons.ts';
import { NOT_REPORTED } from '../../../src/look/devices.ts';
import { entriesFor, everything } from '../../../src/look/explained.ts';

describe('what can be explained', () => {
  test('is every reason there is', () => {
    const { reasons } = everything();
    const of = (kind: string) => reasons.filter((one) => one.kind === kind).map(({ reason }) => reason);
    expect(of('waiting').sort()).toEqual([...waitingReason.options, NOT_REPORTED].sort());
    expect(of('terminal').sort()).toEqual([...terminalReason.options].sort());
  });

  test('is a reason in any case, as both where it is waiting and terminal', () => {
    expect(entriesFor('foreigndevice')).toMatchObject({
      reasons: [
        { reason: 'ForeignDevice', kind: 'waiting' },
        { reason: 'ForeignDevice', kind: 'terminal' },
      ],
      errnos: [],
    });
  });

  test.each([
    ['EAGAIN', 11],
    ['eagain', 11],
    ['11', 11],
    ['errno 517', 517],
    ['ERRNO 87', 87],
    ['EEXIST (17)', 17],
    ['4095', 4095],
  ])('is an errno as %j', (word, errno) => {
    expect(entriesFor(word)).toMatchObject({ reasons: [], errnos: [{ errno }] });
  });

  test.each(['0', '4096', 'errno', 'EAGAIN EBUSY', '-11', ''])('is not %j', (word) => {
    expect(entriesFor(word)).toEqual(expect.not.objectContaining({ errnos: expect.anything() }));
  });

  test('tells opening and writing apart where they mean different things', () => {
    const found = entriesFor('EPERM');
    const answers = 'errnos' in found ? found.errnos.flatMap((one) => one.answers) : [];
    expect(answers.map(({ operation, call, reason }) => [operation, call, reason])).toEqual([
      ['create', 'open', 'NotPermitted'],
      ['create', 'write', 'NoCapacity'],
      ['remove', null, 'NotPermitted'],
      ['attribute', 'open', 'NotPermitted'],
      ['attribute', 'write', 'AttributeRefused'],
    ]);
  });

  test('a word that is nearly one is answered with that one', () => {
    expect(entriesFor('NoCapacty')).toEqual(['NoCapacity']);
  });
});

describe('every text', () => {
  const { reasons } = everything();
  test.each(reasons)('$kind $reason begins in lower case and ends without a full stop', (entry) => {
    for (const text of [entry.meaning, entry.ends, entry.hint]) expect(text).toMatch(/^[a-z`/].*[^.]$/);
  });
});
