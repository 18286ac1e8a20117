import { describe, expect, test } from 'vitest';
import { listenAddress } from '../../../src/telemetry/listen.ts';

describe('where to listen', () => {
  test.each([
    ['9774', { host: '127.0.0.1', port: 9774 }],
    [9774, { host: '127.0.0.1', port: 9774 }],
    ['0.0.0.0:9774', { host: '0.0.0.0', port: 9774 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['metrics.example.org:65535', { host: 'metrics.example.org', port: 65_535 }],
  ])('%s', (given, expected) => {
    expect(listenAddress.parse(given)).toEqual(expected);
  });

  test.each(['', ':9774', '65536', '::1:9774', 'http://127.0.0.1:9774', '127.0.0.1', 65_536, -1, 1.5, true])(
    '%s is refused, and what is expected is said',
    (given) => {
      const { error } = listenAddress.safeParse(given);
      expect(error?.issues.map(({ message }) => message)).toEqual([expect.stringContaining('0.0.0.0:9774')]);
    },
  );
});
