import { expect, test } from 'vitest';
import { nearest } from '../../../src/declare/nearest.ts';

const WORDS = ['InUse', 'NoCapacity', 'EAGAIN', 'EACCES', 'EEXIST'];

test.each([
  ['nocapacty', ['NoCapacity']],
  ['EAGIAN', ['EAGAIN']],
  ['EACCESS', ['EACCES']],
  ['inus', ['InUse']],
  ['NoCapacity', ['NoCapacity']],
  ['something', []],
  ['', []],
])('%j may have meant %j', (typed, meant) => {
  expect(nearest(typed, WORDS)).toEqual(meant);
});

test('the nearest word comes first, and no more than three come', () => {
  expect(nearest('abcdef', ['abcdxy', 'abcdex', 'abcxyf', 'xbcdef'])).toEqual(['abcdex', 'xbcdef', 'abcdxy']);
});
