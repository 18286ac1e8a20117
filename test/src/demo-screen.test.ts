/**
 * How the demo's story is printed, and that facts about devices can be told.
 */
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Screen } from '../../src/demo/screen.ts';
import { tell } from '../../src/past/words.ts';
import { anyDeviceFact } from '../store/journal/journal-facts.ts';

function printed(isTTY: boolean, print: (screen: Screen) => void): string {
  const texts: string[] = [];
  print(new Screen({ isTTY, write: (text) => texts.push(text) }));
  return texts.join('');
}

describe('the screen', () => {
  const everything = (screen: Screen) => {
    screen.chapter(1, 'A title');
    screen.say('Some words.');
    screen.command('a command');
    screen.voice('host-a', 'bad news', 'red');
    screen.table(['HOST'], [[{ text: 'host-a', colour: 'green' }]]);
  };

  test('has colours on a terminal, and elsewhere the same text without', () => {
    const plain = printed(false, everything);
    const coloured = printed(true, everything);
    expect(coloured).toContain('\u001b[31mbad news');
    expect(stripVTControlCharacters(coloured)).toBe(plain);
    expect(plain).toBe(
      '\n1  A title\n   Some words.\n   $ a command\n   host-a  bad news\n   HOST\n   host-a\n',
    );
  });

  test('lets nothing that was said reach the terminal as more than text', () => {
    expect(printed(true, (screen) => screen.voice('host-a', 'a\u001b[2Jb\nc'))).not.toMatch(/\[2J|b\n/);
  });

  test('breaks lines between words, within 100 columns, below where they began', () => {
    const word = fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom('a', 'b') });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), (words) => {
        const lines = printed(false, (screen) => screen.voice('host-a', words.join(' ')))
          .trimEnd()
          .split('\n');
        expect(lines.map((line) => line.slice(11)).join(' ')).toBe(words.join(' '));
        expect(
          lines
            .map((line) => line.slice(0, 11))
            .every((start, i) => start === (i === 0 ? '   host-a  ' : ' '.repeat(11))),
        ).toBe(true);
        expect(lines.filter((line) => line.length > 100)).toEqual([]);
      }),
    );
  });

  test('gives a word that is wider than the screen a line of its own', () => {
    const wide = 'x'.repeat(120);
    expect(printed(false, (screen) => screen.say(`a ${wide} b`))).toBe(`   a\n   ${wide}\n   b\n`);
  });
});

test('whatever a journal says of a device can be told', () => {
  fc.assert(
    fc.property(anyDeviceFact, (fact) => {
      expect(tell(fact)).toMatch(/^[a-z]/);
    }),
  );
});
