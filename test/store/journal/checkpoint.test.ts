/**
 * A checkpoint says who signed what, to whoever has the public key alone; openssl finds the same.
 */
import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isSignedBy, parseNote, pemOfKey } from '../../../store/journal/checkpoint.ts';
import { openSigningKey, readSigningKey, signingKeyFile } from '../../../store/journal/signing-key.ts';
import { HOST } from './journal-fixture.ts';
import { makeTempFolder } from './journal-folder.ts';
import { newSigner } from './signer.ts';

const HEAD = {
  host: HOST,
  journal: 'journal-1',
  seq: 12,
  hash: 'ab'.repeat(32),
  time: '2026-01-01T00:00:00.000Z',
};

describe('the key of a host', () => {
  test('is made once, for its owner only', () => {
    const dir = makeTempFolder();
    expect(readSigningKey(dir)).toBeUndefined();
    const { publicKey } = openSigningKey(dir);
    expect(openSigningKey(dir).publicKey).toBe(publicKey);
    expect(readSigningKey(dir)?.publicKey).toBe(publicKey);
    expect(statSync(signingKeyFile(dir)).mode & 0o777).toBe(0o600);
  });

  test('that is lost is followed by another', () => {
    const { publicKey } = openSigningKey(makeTempFolder());
    expect(openSigningKey(makeTempFolder()).publicKey).not.toBe(publicKey);
  });

  test('that is none is told, and nothing is put in its place', () => {
    const dir = makeTempFolder();
    writeFileSync(signingKeyFile(dir), 'not a key');
    expect(() => openSigningKey(dir)).toThrow();
  });
});

describe('a note', () => {
  const signer = newSigner();
  const note = signer.sign(HEAD);

  test('says what was signed, and by whom', () => {
    const read = parseNote(note);
    expect(read?.head).toEqual(HEAD);
    expect(read && isSignedBy(read, signer.publicKey)).toBe(true);
    expect(read && isSignedBy(read, newSigner().publicKey)).toBe(false);
    expect(read && isSignedBy(read, 'no key')).toBe(false);
  });

  test('is signed by nobody with any character of its text changed', () => {
    const { length } = parseNote(note)?.text ?? '';
    expect(length).toBeGreaterThan(100);
    for (let at = 0; at < length; at += 1) {
      const read = parseNote(`${note.slice(0, at)}${note[at] === '7' ? '8' : '7'}${note.slice(at + 1)}`);
      expect(read !== undefined && isSignedBy(read, signer.publicKey)).toBe(false);
    }
  });

  test('may have more signatures than that', () => {
    const other = newSigner().sign(HEAD);
    const read = parseNote(`${note}${other.slice(other.indexOf('\u2014'))}`);
    expect(read?.signatures).toHaveLength(2);
    expect(read && isSignedBy(read, signer.publicKey)).toBe(true);
  });

  test.each(['', 'text\n', note.replace('record 12', 'record 012'), note.replace('v1', 'v2')])(
    'is not %j',
    (text) => {
      expect(parseNote(text)).toBeUndefined();
    },
  );

  test('is found good by openssl, too', () => {
    const dir = makeTempFolder();
    const [key, text, signature] = ['key.pem', 'text', 'signature'].map((name) => join(dir, name));
    const read = parseNote(note);
    writeFileSync(String(key), pemOfKey(signer.publicKey));
    writeFileSync(String(signature), read?.signatures[0]?.blob.subarray(4) ?? '');
    const verdict = (content: string) => {
      writeFileSync(String(text), content);
      const args = [
        'pkeyutl',
        '-verify',
        '-pubin',
        '-rawin',
        '-inkey',
        key,
        '-in',
        text,
        '-sigfile',
        signature,
      ];
      return spawnSync('openssl', args.map(String)).status;
    };
    expect(verdict(read?.text ?? '')).toBe(0);
    expect(verdict('another text')).not.toBe(0);
  });
});
