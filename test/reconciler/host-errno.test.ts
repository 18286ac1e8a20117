import { expect, test } from 'vitest';
import { errnoName, type Operation, ROWS } from '../../reconciler/errno.ts';
import { CASES } from './host-errno.contract.ts';

const ANOTHER_USER = 'takes a read-only mount or another user; test/kernel shows it as a fact';
const NEVER_WRITTEN = 'the port refuses before it writes: an incomplete device has no mdev_type';
const OUR_OWN = 'no kernel answers it: a helper that ended; see writer-pool.test.ts';
const NOT_OUT = 'the kernel makes EAGAIN of it, which is a case';
const CANNOT_FAIL = 'since Linux 5.2 no driver has a say in a removal';
const FOR_EVER = 'the write is begun again for ever, until its helper is ended; see the tests of writers';

/** Rows that cannot be brought about through the port on every kernel, and why. */
const NO_CASE: ReadonlyMap<string, string> = new Map([
  ['create EINTR', FOR_EVER],
  ['create EACCES', ANOTHER_USER],
  ['create EROFS', ANOTHER_USER],
  ['create EPIPE', OUR_OWN],
  ['create EPROBE_DEFER', NOT_OUT],
  ['remove EPERM', ANOTHER_USER],
  ['remove EINTR', CANNOT_FAIL],
  ['remove EAGAIN', NEVER_WRITTEN],
  ['remove EACCES', ANOTHER_USER],
  ['remove EBUSY', CANNOT_FAIL],
  ['remove ENODEV', 'only if the device goes between the look and the write'],
  ['remove EINVAL', 'nothing but 1 is ever written'],
  ['remove EROFS', ANOTHER_USER],
  ['remove EPIPE', OUR_OWN],
  ['remove EPROBE_DEFER', CANNOT_FAIL],
  ['attribute EINTR', FOR_EVER],
  ['attribute EROFS', ANOTHER_USER],
  ['attribute EPIPE', OUR_OWN],
]);

type Row = { readonly operation: Operation; readonly errno: number };
const nameOf = ({ operation, errno }: Row) => `${operation} ${errnoName(errno)}`;

test('every row of the errno table is a case of the contract, or has a reason why not', () => {
  const covered = new Set(CASES.map(nameOf));
  const missing = ROWS.map(nameOf).filter((row) => !covered.has(row));
  expect(missing.sort()).toEqual([...NO_CASE.keys()].sort());
});

test('a case of the contract and its name are one', () => {
  const names = CASES.map(({ by, ...row }) => `${nameOf(row)} for ${by}`);
  expect(names).toEqual([...new Set(names)]);
});
