import { describe, expect, test } from 'vitest';
import { paint, printable, table } from '../../../src/cli/terminal.ts';

describe('text from strangers', () => {
  test.each([
    ['\u001b[31mred\u001b[0m', 'red'],
    ['\u001b]0;title\u0007x', 'x'],
    ['two\nlines\r\n', 'two lines '],
    ['bell\u0007', 'bell\ufffd'],
    ['a\u202eb', 'a\ufffdb'],
    ['\u009b2Jx', 'x'],
    ['c1\u0085', 'c1\ufffd'],
  ])('%j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});

describe('tables', () => {
  const rows = [
    [{ text: 'a' }, { text: 'ready', colour: 'green' as const }, { text: 'x' }],
    [{ text: 'longer' }, { text: 'b\u001b[2Jad' }, { text: '' }],
  ];

  test('columns are as wide as their widest cell, and nothing trails', () => {
    expect(table(['ONE', 'TWO', 'THREE'], rows, false)).toEqual([
      'ONE     TWO    THREE',
      'a       ready  x',
      'longer  bad',
    ]);
  });

  test('colours on a terminal only, and outside the width', () => {
    expect(table(['ONE', 'TWO', 'THREE'], rows, true)[1]).toBe('a       \u001b[32mready\u001b[39m  x');
    expect(paint('x', 'red', false)).toBe('x');
  });
});
