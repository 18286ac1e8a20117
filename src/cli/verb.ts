/**
 * A verb of the command line: given what was asked, it does it and says how it ended.
 */
import type { Flags, Settings } from '../config.ts';
import type { Outcome } from '../exit.ts';
import type { Output } from './output.ts';

/** What was asked of a verb. `flags` has those that are its own and were given on the command line. */
export type Invocation = {
  readonly settings: Settings;
  readonly args: readonly string[];
  readonly flags: Flags;
  readonly out: Output;
};

/** Throws a Failure, or an error that failures.ts knows. */
export type Verb = (invocation: Invocation) => Promise<Outcome>;
