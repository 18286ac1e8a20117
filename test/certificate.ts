/**
 * A certificate for 127.0.0.1 that is its own authority, for tests of TLS; made here because node:crypto reads
 * certificates but writes none, and openssl's program is not on every machine.
 */
import { generateKeyPairSync, sign } from 'node:crypto';

export type Certificate = { readonly certificate: string; readonly key: string };

const TAG = {
  boolean: 1,
  integer: 2,
  bits: 3,
  octets: 4,
  oid: 6,
  text: 12,
  time: 24,
  list: 48,
  set: 49,
} as const;
/** Context-specific tags: of constructed values, and of an IP address among a subject's names. */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
const IP_ADDRESS = 0x87;

/** Object identifiers in their encoded form. */
const OID = {
  ecdsaWithSha256: '2a8648ce3d040302',
  commonName: '550403',
  basicConstraints: '551d13',
  subjectAltName: '551d11',
} as const;

/** A new key, and a certificate for it that is valid from 2020 to 2120, both in PEM. */
export function selfSigned(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(TAG.list, oid('ecdsaWithSha256'));
  const name = der(
    TAG.list,
    der(TAG.set, der(TAG.list, oid('commonName'), der(TAG.text, Buffer.from('test')))),
  );
  const body = der(
    TAG.list,
    der(VERSION, der(TAG.integer, Buffer.of(2))),
    der(TAG.integer, Buffer.of(1)),
    algorithm,
    name,
    der(TAG.list, time('20200101000000Z'), time('21200101000000Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(EXTENSIONS, der(TAG.list, authority(), names())),
  );
  const signature = Buffer.concat([Buffer.of(0), sign('sha256', body, privateKey)]);
  const whole = der(TAG.list, body, algorithm, der(TAG.bits, signature));
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { certificate: pem(whole), key };
}

function authority(): Buffer {
  const yes = der(TAG.boolean, Buffer.of(255));
  return der(TAG.list, oid('basicConstraints'), yes, der(TAG.octets, der(TAG.list, yes)));
}

function names(): Buffer {
  const address = der(IP_ADDRESS, Buffer.of(127, 0, 0, 1));
  return der(TAG.list, oid('subjectAltName'), der(TAG.octets, der(TAG.list, address)));
}

function oid(name: keyof typeof OID): Buffer {
  return der(TAG.oid, Buffer.from(OID[name], 'hex'));
}

function time(text: string): Buffer {
  return der(TAG.time, Buffer.from(text));
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), size(content.length), content]);
}

function size(length: number): Buffer {
  if (length < 128) return Buffer.of(length);
  return length < 256 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 255);
}

function pem(whole: Buffer): string {
  const lines = whole.toString('base64').replaceAll(/.{64}/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
