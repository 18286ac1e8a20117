/**
 * The port to the machine that the doctor looks at. Nothing behind it changes anything.
 *
 * What is not there is null. Whatever else the system answers is thrown, and is then a finding of the check that asked.
 */

import type { Checked } from '../../store/journal/journal-check.ts';
import type { Absent } from '../../store/journal/probe.ts';
import type { Damaged } from '../../store/journal/verify.ts';

export type Entry = {
  readonly kind: 'file' | 'folder' | 'other';
  /** Bits of permission, as in chmod. */
  readonly mode: number;
  readonly uid: number;
  readonly bytes: number;
  readonly inode: string;
};

/** Where a file lies: its file system's magic number, and the room that is left there. */
export type Room = { readonly fileSystem: number; readonly freeBytes: number };

export type Ran = { readonly status: number | null; readonly stdout: string };

export interface Machine {
  /** Of the process that looks. */
  readonly uid: number;
  text(path: string): Promise<string | null>;
  /** Names in a folder. */
  names(path: string): Promise<readonly string[] | null>;
  entry(path: string): Promise<Entry | null>;
  /** Opens a file for writing, and closes it: null if that was allowed, else the errno. */
  refusal(path: string): Promise<number | null>;
  mayWrite(path: string): Promise<boolean>;
  room(path: string): Promise<Room | null>;
  /** Where the shell would find a program. */
  program(name: string): Promise<string | null>;
  /** Runs one that only looks; null if there is none. */
  run(program: string, args: readonly string[]): Promise<Ran | null>;
  /** Looks at a journal in a process of its own, which a damaged one may kill. */
  journal(dir: string): Promise<Absent | Checked | Damaged>;
}
