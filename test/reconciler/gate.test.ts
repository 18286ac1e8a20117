import { describe, expect, test } from 'vitest';
import { Gate } from '../../reconciler/gate.ts';
import { ManualClock } from '../manual-clock.ts';

/** Work that ends when the test says so, and who began it in which order. */
class Works {
  readonly begun: string[] = [];
  readonly #ends = new Map<string, () => void>();

  run(name: string): Promise<string> {
    this.begun.push(name);
    return new Promise((resolve) => this.#ends.set(name, () => resolve(name)));
  }

  end(name: string): void {
    this.#ends.get(name)?.();
  }
}

describe('the gate before a parent', () => {
  test('lets as many in as it is wide, then in order of arrival', async () => {
    const [gate, works, clock] = [new Gate(2), new Works(), new ManualClock()];
    const all = ['a', 'b', 'c', 'd'].map((name) => gate.through('gpu0', () => works.run(name)));
    await clock.advance(0);
    expect(works.begun).toEqual(['a', 'b']);
    works.end('b');
    await clock.advance(0);
    expect(works.begun).toEqual(['a', 'b', 'c']);
    for (const name of ['a', 'c']) works.end(name);
    await clock.advance(0);
    works.end('d');
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('of one parent holds up no other', async () => {
    const [gate, works, clock] = [new Gate(1), new Works(), new ManualClock()];
    void gate.through('gpu0', () => works.run('slow'));
    void gate.through('gpu0', () => works.run('behind it'));
    void gate.through('gpu1', () => works.run('elsewhere'));
    await clock.advance(0);
    expect(works.begun).toEqual(['slow', 'elsewhere']);
  });

  test('lets the next one in when work throws, and passes the error on', async () => {
    const gate = new Gate(1);
    const failing = gate.through('gpu0', () => Promise.reject(new Error('no')));
    const next = gate.through('gpu0', async () => 'in');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('in');
  });

  test('is as wide as before once everybody has gone through', async () => {
    const [gate, works, clock] = [new Gate(1), new Works(), new ManualClock()];
    for (const name of ['a', 'b', 'c']) {
      const through = gate.through('gpu0', () => works.run(name));
      works.end(name);
      await clock.advance(0);
      works.end(name);
      await through;
    }
    void gate.through('gpu0', () => works.run('d'));
    void gate.through('gpu0', () => works.run('e'));
    await clock.advance(0);
    expect(works.begun).toEqual(['a', 'b', 'c', 'd']);
  });
});
