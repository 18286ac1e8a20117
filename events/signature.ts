/**
 * Who published an event, so that it can be proven: its publisher signs it with the NKey by which the server knows him.
 *
 * JetStream keeps no word of who a server let publish a message. So an event may carry two extension attributes,
 * `signer` (an NKey, `U…`) and `signature`: Ed25519, in base64url, over the event without its signature, as
 * canonical JSON (RFC 8785). The signature holds wherever the event is read, the server's operator included.
 */
import { type KeyObject, sign, verify } from 'node:crypto';
import type { CloudEvent } from './declaration.ts';
import { nameOf, publicKeyOf } from './nkey.ts';

/** The event with its publisher's signature. */
export function signed(event: Readonly<Record<string, unknown>>, key: KeyObject): Record<string, unknown> {
  const named = { ...event, signer: nameOf(key) };
  return { ...named, signature: sign(null, signedBytes(named), key).toString('base64url') };
}

/** `claimed`: it bears no signature, and its source is all that is known of who published it. */
export type Signed =
  | { readonly kind: 'claimed' | 'wrong' }
  | { readonly kind: 'signed'; readonly signer: string };

/** Whether the event is signed, and by whom. */
export function signerOf(event: CloudEvent): Signed {
  const { signer, signature, ...rest } = event;
  if (signer === undefined && signature === undefined) return { kind: 'claimed' };
  if (typeof signer !== 'string' || typeof signature !== 'string') return { kind: 'wrong' };
  const key = publicKeyOf(signer);
  const holds =
    key && verify(null, signedBytes({ ...rest, signer }), key, Buffer.from(signature, 'base64url'));
  return holds === true ? { kind: 'signed', signer } : { kind: 'wrong' };
}

function signedBytes(event: Readonly<Record<string, unknown>>): Uint8Array {
  return new TextEncoder().encode(canonical(event));
}

/** Members in the order of their names' UTF-16 units; numbers and strings as JSON.stringify writes them (RFC 8785). */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).filter(([, one]) => one !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, one]) => `${JSON.stringify(name)}:${canonical(one)}`).join(',')}}`;
}
