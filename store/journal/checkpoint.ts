/**
 * Checkpoints: signed statements of where a journal's chain ended at some time.
 *
 * A chain alone does not show that its end was cut off, or that all of it was written anew; a statement that is
 * kept elsewhere does. Its form is the signed note of C2SP: a text, an empty line, a line with an Ed25519 signature
 * over the text. A host's public key is all that is needed to check one.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { HostId } from '../../events/names.ts';

const TITLE = 'mdevfleet journal head v1';
const TEXT =
  /^mdevfleet journal head v1\nhost (\S+)\njournal (\S+)\nrecord ([1-9][0-9]{0,14})\nhash ([0-9a-f]{64})\ntime (\S+)\n$/;
const SIGNATURE = /^\u2014 (\S+) ([A-Za-z0-9+/]+={0,2})$/;
/** Of the C2SP signed note: which algorithm the key is of, in what its id is made of. */
const ED25519 = 1;
const KEY_ID_BYTES = 4;

/** What a checkpoint states: at `time`, RFC 3339, this was the last record of the journal. */
export type Head = {
  readonly host: HostId;
  readonly journal: string;
  readonly seq: number;
  readonly hash: string;
  readonly time: string;
};

/** Whoever can sign for a host. */
export type Signer = {
  /** The public key's 32 bytes in base64url. */
  readonly publicKey: string;
  /** The signed note. */
  sign(head: Head): string;
};

/** A note as read; nothing is known yet of who signed it. */
export type Note = {
  readonly head: Head;
  readonly text: string;
  readonly signatures: readonly { readonly name: string; readonly blob: Buffer }[];
};

/** Signs with a private key of Ed25519 in PEM. Throws for any other. */
export function signerOf(pem: string): Signer {
  const key = createPrivateKey(pem);
  const publicKey = nameOfKey(createPublicKey(key));
  return {
    publicKey,
    sign: (head) => {
      const text = textOf(head);
      const blob = Buffer.concat([keyId(head.host, publicKey), sign(null, Buffer.from(text), key)]);
      return `${text}\n\u2014 ${head.host} ${blob.toString('base64')}\n`;
    },
  };
}

/** Undefined for what is no signed note of a journal's head. */
export function parseNote(note: string): Note | undefined {
  const end = note.indexOf('\n\n');
  const text = note.slice(0, end + 1);
  const [, host, journal, seq, hash, time] = TEXT.exec(text) ?? [];
  if (host === undefined || journal === undefined || hash === undefined || time === undefined)
    return undefined;
  const signatures = note
    .slice(end + 2)
    .split('\n')
    .flatMap(signatureIn);
  return { head: { host, journal, seq: Number(seq), hash, time }, text, signatures };
}

function signatureIn(line: string): Note['signatures'] {
  const [, name, base64] = SIGNATURE.exec(line) ?? [];
  return name === undefined || base64 === undefined ? [] : [{ name, blob: Buffer.from(base64, 'base64') }];
}

/** True when the holder of the key signed the note in its host's name. */
export function isSignedBy({ head, text, signatures }: Note, publicKey: string): boolean {
  const key = keyNamed(publicKey);
  if (key === undefined) return false;
  const id = keyId(head.host, publicKey);
  return signatures.some(({ name, blob }) => {
    if (name !== head.host || !blob.subarray(0, KEY_ID_BYTES).equals(id)) return false;
    return verify(null, Buffer.from(text), key, blob.subarray(KEY_ID_BYTES));
  });
}

/** The 32 bytes of a public key, in base64url. Throws for a key that is not of Ed25519. */
export function nameOfKey(key: KeyObject): string {
  const { crv, x } = key.export({ format: 'jwk' });
  if (crv !== 'Ed25519' || x === undefined) throw new Error('not a key of Ed25519');
  return x;
}

/** The public key as a file, as openssl takes it. */
export function pemOfKey(publicKey: string): string {
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
  return key.export({ type: 'spki', format: 'pem' }).toString();
}

function keyNamed(publicKey: string): KeyObject | undefined {
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: publicKey }, format: 'jwk' });
  } catch {
    return undefined;
  }
}

function textOf({ host, journal, seq, hash, time }: Head): string {
  return `${TITLE}\nhost ${host}\njournal ${journal}\nrecord ${seq}\nhash ${hash}\ntime ${time}\n`;
}

function keyId(name: string, publicKey: string): Buffer {
  const key = Buffer.from(publicKey, 'base64url');
  const digest = createHash('sha256').update(`${name}\n`).update(Buffer.of(ED25519)).update(key).digest();
  return digest.subarray(0, KEY_ID_BYTES);
}
