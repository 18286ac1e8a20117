import { describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/exit.ts';
import { mdevfleet, mdevfleetJson } from './run.ts';

describe('explain', () => {
  test('a reason: what it means, what ends it and what to do', async () => {
    const { status, stdout } = await mdevfleet(['explain', 'nocapacity']);
    expect(status).toBe(EXIT.ok);
    expect(stdout).toMatch(
      /^NoCapacity +waiting\nmeans +the parent has .*\nwhat ends it +.*\nway out +remove .*\nstep by step +docs\/operations\.md#nocapacity\n$/,
    );
  });

  test('an errno in two words, by operation', async () => {
    const { status, stdout } = await mdevfleet(['explain', 'errno', '87']);
    expect(status).toBe(EXIT.ok);
    expect(stdout).toMatch(
      /^EUSERS \(87\) +MEANING.*\ncreate .* NoCapacity .*\nremove .* KernelError .*\nattribute /,
    );
  });

  test('everything, as JSON', async () => {
    expect(await mdevfleetJson(['explain'])).toMatchObject({
      reasons: expect.arrayContaining([expect.objectContaining({ reason: 'InUse', kind: 'waiting' })]),
      errnos: expect.arrayContaining([expect.objectContaining({ errno: 17, name: 'EEXIST' })]),
    });
  });

  test('everything, in two tables', async () => {
    const { stdout } = await mdevfleet(['explain']);
    expect(stdout).toMatch(/^REASON +KIND +MEANING\n[\s\S]*\n\nERRNO +ANSWER TO +MEANING +REASON\n[\s\S]*$/);
  });

  test.each([
    ['NoCapacty', 'did you mean NoCapacity?'],
    ['something', '`mdevfleet explain` lists all'],
  ])('%s is no word of ours: the way out, and the status of a wrong use', async (word, wayOut) => {
    const { status, stderr, stdout } = await mdevfleet(['explain', word]);
    expect({ status, stdout }).toEqual({ status: EXIT.usage, stdout: '' });
    expect(stderr).toContain(`explaining ${word}`);
    expect(stderr).toContain(wayOut);
  });
});
