/**
 * NATS's NKeys of users: the key by which a server lets a client in, and with which that client can sign.
 *
 * Base32 (RFC 4648, without padding) of a type, 32 bytes of Ed25519, and a CRC-16 (XMODEM), low byte first. A seed has
 * two bytes for the type: seed, and of a user.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** `U` in the first five bits. */
const USER = 20 << 3;
/** `S` in the first five bits, then `U`. */
const USER_SEED = [(18 << 3) | (USER >> 5), (USER & 31) << 3] as const;
const KEY_BYTES = 32;
const CRC_BYTES = 2;
/** PKCS #8 of a private key of Ed25519, up to its 32 bytes. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The private key of a user's seed, `SU…`; undefined for anything else. */
export function privateKeyOf(seed: string): KeyObject | undefined {
  const key = unpacked(seed, USER_SEED);
  if (key === undefined) return undefined;
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, key]), format: 'der', type: 'pkcs8' });
}

/** The public key of a user, `U…`, as a key; undefined for anything else. */
export function publicKeyOf(name: string): KeyObject | undefined {
  const key = unpacked(name, [USER]);
  if (key === undefined) return undefined;
  const x = key.toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

/** What the user of this private key is called, `U…`. */
export function nameOf(key: KeyObject): string {
  const { x = '' } = createPublicKey(key).export({ format: 'jwk' });
  const bytes = Buffer.concat([Buffer.from([USER]), Buffer.from(x, 'base64url')]);
  return encode(Buffer.concat([bytes, checksum(bytes)]));
}

function unpacked(text: string, type: readonly number[]): Buffer | undefined {
  const bytes = decode(text);
  if (bytes?.length !== type.length + KEY_BYTES + CRC_BYTES) return undefined;
  const body = bytes.subarray(0, -CRC_BYTES);
  if (!type.every((byte, at) => body[at] === byte)) return undefined;
  return checksum(body).equals(bytes.subarray(-CRC_BYTES)) ? body.subarray(type.length) : undefined;
}

function checksum(bytes: Uint8Array): Buffer {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return Buffer.from([crc & 0xff, crc >> 8]);
}

function decode(text: string): Buffer | undefined {
  const bytes: number[] = [];
  let bits = 0;
  let count = 0;
  for (const character of text) {
    const value = ALPHABET.indexOf(character);
    if (value === -1) return undefined;
    bits = ((bits << 5) | value) & 0xfff;
    count += 5;
    if (count < 8) continue;
    count -= 8;
    bytes.push((bits >> count) & 0xff);
  }
  return Buffer.from(bytes);
}

function encode(bytes: Uint8Array): string {
  let text = '';
  let bits = 0;
  let count = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xfff;
    count += 8;
    for (; count >= 5; count -= 5) text += ALPHABET[(bits >> (count - 5)) & 31];
  }
  return count === 0 ? text : text + ALPHABET[(bits << (5 - count)) & 31];
}
