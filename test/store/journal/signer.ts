/**
 * Somebody who can sign checkpoints: with a key of their own each.
 */
import { generateKeyPairSync } from 'node:crypto';
import { type Signer, signerOf } from '../../../store/journal/checkpoint.ts';

export function newSigner(): Signer {
  const { privateKey } = generateKeyPairSync('ed25519');
  return signerOf(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}
