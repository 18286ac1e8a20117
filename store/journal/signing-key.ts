/**
 * The key with which a host signs its checkpoints: made once, beside the journal, and readable for its owner only.
 *
 * Whoever has it can write the host's past anew. What protects the past is that checkpoints are elsewhere by then,
 * and that a new key is seen as one.
 */
import { generateKeyPairSync } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Signer, signerOf } from './checkpoint.ts';
import { syncFolder } from './directory.ts';

/** The private key of the journal in `dir`, in PEM. */
export function signingKeyFile(dir: string): string {
  return join(dir, 'checkpoint-key.pem');
}

/** The key of the journal in `dir`; undefined when there is none. Throws when it cannot be read. */
export function readSigningKey(dir: string): Signer | undefined {
  const pem = readKey(signingKeyFile(dir));
  return pem === undefined ? undefined : signerOf(pem);
}

/** The same, but makes one if there is none. */
export function openSigningKey(dir: string): Signer {
  return readSigningKey(dir) ?? signerOf(makeKey(dir));
}

function readKey(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Made beside its place and moved there whole. Whoever calls holds the journal's lock. */
function makeKey(dir: string): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const beside = `${signingKeyFile(dir)}.new`;
  rmSync(beside, { force: true });
  const fd = openSync(beside, 'wx', 0o600);
  try {
    writeSync(fd, pem);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(beside, signingKeyFile(dir));
  syncFolder(dir);
  return pem;
}
