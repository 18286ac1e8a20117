import { describe, expect, test } from 'vitest';
import { EmbeddedUnavailable } from '../../../events/embedded/embedded.ts';
import { ConnectFailed } from '../../../events/jetstream/connection.ts';
import { InitFailed } from '../../../events/jetstream/init.ts';
import { StreamForbidden, StreamMissing, StreamUnavailable } from '../../../events/stream.ts';
import { errorLines, outcomeOf } from '../../../src/cli/failures.ts';
import { EXIT, EXIT_MEANINGS, Failure, type Outcome } from '../../../src/exit.ts';
import { JournalRefused } from '../../../store/journal/journal-refused.ts';
import { RegistryUnavailable } from '../../../store/registry/registry.ts';
import { RegistryMissing } from '../../../store/registry/registry-kv.ts';

describe('how a run ends', () => {
  test.each<[Outcome, Error]>([
    ['unreachable', new ConnectFailed('x', { reason: 'unreachable' })],
    ['server', new ConnectFailed('x', { reason: 'credentials' })],
    ['server', new ConnectFailed('x', { reason: 'tls' })],
    ['server', new ConnectFailed('x', { reason: 'no-jetstream' })],
    ['server', new ConnectFailed('x', { reason: 'too-old' })],
    ['server', new StreamForbidden('x')],
    ['server', new InitFailed('x')],
    ['uninitialised', new StreamMissing('x')],
    ['uninitialised', new RegistryMissing('x')],
    ['unreachable', new StreamUnavailable('x')],
    ['unreachable', new RegistryUnavailable('x')],
    ['unreachable', new EmbeddedUnavailable('x')],
    ['locked', new JournalRefused('held', 'x')],
    ['foreign', new JournalRefused('other-host', 'x')],
    ['foreign', new JournalRefused('other-machine', 'x')],
    ['damaged', new JournalRefused('damaged', 'x')],
    ['host', new JournalRefused('no-flock', 'x')],
    ['input', new Failure('x', { outcome: 'input', wayOut: 'y' })],
    ['unexpected', new TypeError('x')],
  ])('%s: %s', (outcome, error) => {
    expect(outcomeOf(error)).toBe(outcome);
  });

  test('every outcome has a status of its own, and a meaning; 2 means that there are changes', () => {
    const statuses = Object.values(EXIT);
    expect(new Set(statuses).size).toBe(statuses.length);
    expect(Object.keys(EXIT_MEANINGS)).toEqual(Object.keys(EXIT));
    expect(EXIT.ok).toBe(0);
    expect(EXIT.changes).toBe(2);
  });
});

describe('what is printed', () => {
  const cause = new Error('inner\u001b[2J', { cause: new Error('innermost') });
  const failure = new Failure('doing it:\n  to a\n  to b', { outcome: 'input', wayOut: 'do less', cause });
  const lines = (error: unknown, verbose: boolean) => errorLines(error, { terminal: false, verbose });

  test('what failed, and the way out', () => {
    expect(lines(failure, false)).toEqual(['error: doing it:', '  to a', '  to b', '  do less']);
  });

  test('with verbose, the causes, harmless to a terminal', () => {
    expect(lines(failure, true).slice(-2)).toEqual([
      '  caused by Error: inner',
      '  caused by Error: innermost',
    ]);
  });

  test('a chain of causes that is a ring comes to an end', () => {
    const ring = new Error('a');
    ring.cause = ring;
    expect(lines(ring, true).length).toBeLessThan(30);
  });

  test('what nobody foresaw is called a fault', () => {
    const [what, wayOut] = lines('thrown', false);
    expect(what).toBe('error: a fault of mdevfleet: thrown');
    expect(wayOut).toContain('--verbose');
  });

  test('what the machine refused is not called a fault of the program', () => {
    const refused = Object.assign(new Error('EACCES: permission denied, open x'), { syscall: 'open' });
    expect(lines(refused, false)).toEqual([
      'error: the machine refused: EACCES: permission denied, open x',
      '  check the path, who may use it, and that there is room',
    ]);
  });

  test.each([
    new StreamUnavailable('reading x'),
    new RegistryUnavailable('reading x'),
    new EmbeddedUnavailable('opening x'),
  ])('what cannot be reached may be tried again: %s', (error) => {
    expect(lines(error, false)).toEqual([
      `error: ${error.message}`,
      expect.stringContaining('run the same command again'),
    ]);
  });
});
