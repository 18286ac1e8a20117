/**
 * The forms in which `get` shows what it found.
 */
import type { Flags } from '../config.ts';
import { Failure } from '../exit.ts';

export const FORMS = ['table', 'wide', 'json', 'yaml'] as const;
export type Form = (typeof FORMS)[number] | 'mdevctl';

/** The form that the flags ask for; --json is one of its names. */
export function formOf(flags: Flags): Form {
  const form = flags['output'] as Form | undefined;
  if (flags['json'] !== true) return form ?? 'table';
  if (form === undefined || form === 'json') return 'json';
  throw new Failure(`reading the settings: --json and --output ${form} are both given`, {
    outcome: 'usage',
    wayOut: 'keep one',
  });
}
