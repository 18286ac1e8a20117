/**
 * A journal as a file: one record a line, the very bytes that were hashed, and nothing else.
 *
 * A record has no newline in it, so the SHA-256 of a line without its end is what the next line
 * names as `prev`; any tool can check that. The file may be packed with gzip, which its first
 * bytes tell. Reading holds one chunk and one line, however large the file is.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { pipeline as flow } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { sha256 } from '../../events/digest.ts';
import type { StoredRecord } from '../../events/record.ts';
import { Misfit } from './replay.ts';

/** Most bytes in a line; a record is far smaller. */
const LINE_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes read or written at a time. */
const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 0x0a;
const GZIP_MAGIC = [0x1f, 0x8b];
/** How every record of ours begins. */
const SEQ = /^\{"seq":([1-9][0-9]{0,15}),/;
const HEAD_BYTES = 32;

type Records = AsyncIterable<StoredRecord> | Iterable<StoredRecord>;

/** The records as lines, gathered into chunks. */
async function* linesOf(records: Records): AsyncGenerator<Buffer> {
  let gathered: Uint8Array[] = [];
  let size = 0;
  for await (const { bytes } of records) {
    gathered.push(bytes, END);
    size += bytes.length + 1;
    if (size < CHUNK_BYTES) continue;
    yield Buffer.concat(gathered);
    gathered = [];
    size = 0;
  }
  if (size > 0) yield Buffer.concat(gathered);
}

const END = Uint8Array.of(NEWLINE);

/** Writes the records into a new file, durably, packed if the name ends in `.gz`. Throws when the file exists. */
export async function writeExport(path: string, records: Records): Promise<void> {
  const file = createWriteStream(path, { flags: 'wx', flush: true, mode: 0o600 });
  const lines = Readable.from(linesOf(records));
  if (path.endsWith('.gz')) await flow(lines, createGzip(), file);
  else await flow(lines, file);
}

/**
 * The records of an exported file, in its order. A line in which no number can be found gets the one
 * that is due there; whether records are whole and follow each other is not looked at. Throws Misfit
 * where the file cannot be unpacked, and what reading it throws.
 */
export async function* readExport(path: string): AsyncGenerator<StoredRecord> {
  let seq = 0;
  try {
    for await (const bytes of linesIn(await openExport(path))) {
      seq = seqIn(bytes) ?? seq + 1;
      yield { seq, bytes, hash: sha256(bytes) };
    }
  } catch (cause) {
    const due = seq + 1;
    if (isUnpacking(cause)) throw new Misfit(`record ${due} cannot be unpacked`, { seq: due, cause });
    throw cause instanceof LineTooLong
      ? new Misfit(`record ${due} does not end`, { seq: due, cause })
      : cause;
  }
}

class LineTooLong extends Error {}

async function openExport(path: string): Promise<AsyncIterable<Buffer>> {
  const handle = await open(path);
  const first = Buffer.alloc(GZIP_MAGIC.length);
  await handle.read(first, 0, first.length, 0).finally(() => handle.close());
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  if (!first.equals(Buffer.from(GZIP_MAGIC))) return file;
  // Errors reach whoever reads what is unpacked.
  return pipeline(file, createGunzip({ chunkSize: CHUNK_BYTES }), () => {});
}

/** The last line may lack its end. */
async function* linesIn(chunks: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const text = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = text.indexOf(NEWLINE); end !== -1; end = text.indexOf(NEWLINE, start)) {
      yield text.subarray(start, end);
      start = end + 1;
    }
    rest = text.subarray(start);
    if (rest.length > LINE_BYTES_MAX) throw new LineTooLong(`a line of more than ${LINE_BYTES_MAX} bytes`);
  }
  if (rest.length > 0) yield rest;
}

function seqIn(bytes: Uint8Array): number | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES)).toString();
  const found = SEQ.exec(head)?.[1];
  return found === undefined ? undefined : Number(found);
}

function isUnpacking(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}
