import { describe, expect, test } from 'vitest';
import { TERMINAL, WAITING } from '../../events/guidance.ts';
import {
  deniesDevice,
  describeWrite,
  errnoName,
  errnoNumber,
  explainErrno,
  type Meaning,
  meaningOf,
  type Operation,
} from '../../reconciler/errno.ts';
import { E } from '../../reconciler/errno-numbers.ts';

/** What the mdev core and its drivers were seen to answer, and what must follow. */
const SEEN: readonly (readonly [Operation, string, number, Meaning])[] = [
  ['create', 'EAGAIN', 11, 'requeue'],
  ['create', 'EEXIST', 17, 'look-again'],
  ['create', 'ENODEV', 19, 'look-again'],
  ['create', 'ENOENT', 2, 'look-again'],
  ['create', 'ENOSPC', 28, 'no-capacity'],
  ['create', 'EUSERS', 87, 'no-capacity'],
  ['create', 'EINVAL', 22, 'invalid'],
  ['create', 'EPERM', 1, 'no-capacity'],
  ['create', 'EACCES', 13, 'not-permitted'],
  ['create', 'EROFS', 30, 'not-permitted'],
  ['create', 'EBUSY', 16, 'other'],
  ['create', 'EIO', 5, 'other'],
  ['create', 'ETIME', 62, 'other'],
  ['remove', 'EAGAIN', 11, 'requeue'],
  ['remove', 'EBUSY', 16, 'in-use'],
  ['remove', 'ENODEV', 19, 'look-again'],
  ['remove', 'ENOENT', 2, 'look-again'],
  ['remove', 'EACCES', 13, 'not-permitted'],
  ['remove', 'EINTR', 4, 'other'],
  ['remove', 'EPERM', 1, 'not-permitted'],
  ['remove', 'ESTALE', 116, 'look-again'],
  ['attribute', 'EBUSY', 16, 'in-use'],
  ['attribute', 'EAGAIN', 11, 'requeue'],
  ['attribute', 'EINVAL', 22, 'invalid'],
  ['attribute', 'ELOOP', 40, 'invalid'],
  ['attribute', 'ENODEV', 19, 'look-again'],
  ['attribute', 'EPIPE', 32, 'look-again'],
  ['attribute', 'EPROBE_DEFER', 517, 'requeue'],
  ['attribute', 'EADDRINUSE', 98, 'other'],
];

describe('errno', () => {
  test.each(SEEN)('%s answered %s (%i) means %s', (operation, name, errno, meaning) => {
    expect(errnoName(errno)).toBe(name);
    expect(meaningOf(operation, errno, 'write')).toBe(meaning);
    expect(explainErrno(operation, errno, 'write')).toMatchObject({ name, meaning });
    expect(errnoNumber(name)).toBe(errno);
  });

  test('a number without a name is shown as a number', () => {
    expect(errnoName(4711)).toBe('errno 4711');
    expect(meaningOf('create', 4711, 'write')).toBe('other');
    expect(errnoNumber('ENONE')).toBeUndefined();
  });

  test('EPERM from opening create is a host that forbids it, from the write a driver that is full', () => {
    expect(meaningOf('create', 1, 'open')).toBe('not-permitted');
    expect(meaningOf('create', 1, 'write')).toBe('no-capacity');
  });

  test.each<readonly [Operation, number, string]>([
    ['create', 22, 'InvalidArgument'],
    ['create', 5, 'KernelError'],
    ['create', 17, 'KernelBusy'],
    ['remove', 22, 'KernelError'],
    ['remove', 16, 'InUse'],
    ['attribute', 5, 'AttributeRefused'],
    ['attribute', 30, 'NotPermitted'],
  ])('%s answered %i leads to %s, whose hint is told', (operation, errno, reason) => {
    const { leadsTo, hint } = explainErrno(operation, errno, 'write');
    expect(leadsTo.reason).toBe(reason);
    const { kind } = leadsTo;
    expect(hint).toBe((kind === 'waiting' ? WAITING[leadsTo.reason] : TERMINAL[leadsTo.reason]).hint);
  });

  test('only what a driver answered to a write says that the device is not there', () => {
    const answer = { kind: 'errno', errno: E.NODEV, call: 'write', file: '/sys/x/rate' } as const;
    expect(deniesDevice(answer)).toBe(true);
    expect(deniesDevice({ ...answer, errno: E.NOENT })).toBe(true);
    expect(deniesDevice({ ...answer, call: 'open' })).toBe(false);
    expect(deniesDevice({ ...answer, errno: E.PIPE })).toBe(false);
    expect(deniesDevice({ kind: 'no-attribute', file: '/sys/x/rate' })).toBe(false);
  });

  test('a description names the operation, the file, the errno and a way out', () => {
    const text = describeWrite('create', { kind: 'errno', errno: 87, call: 'write', file: '/sys/x/create' });
    expect(text).toBe(
      'create: write of /sys/x/create answered EUSERS (87): the parent has as many instances as its driver allows; remove another device of this parent, or declare this one on another parent',
    );
    const by = [{ pid: 4711, command: 'qemu-system-x86' }];
    expect(describeWrite('remove', { kind: 'in-use', by })).toBe(
      'remove: in use by qemu-system-x86 (pid 4711), nothing was written; stop the virtual machine that uses the device; the rest follows by itself',
    );
    expect(describeWrite('remove', { kind: 'in-use', by: [] })).toContain('nothing was written');
    expect(describeWrite('remove', { kind: 'stuck', afterMs: 30_000 })).toContain('30000 ms');
  });
});
