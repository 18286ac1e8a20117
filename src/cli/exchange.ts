/**
 * `import` and `export`: what is exchanged with other programs is the first argument.
 */
import type { Invocation, Verb } from './verb.ts';

type What = 'mdevctl' | 'journal';

const IMPORTS: Readonly<Record<What, () => Promise<Verb>>> = {
  mdevctl: async () => (await import('./import-mdevctl.ts')).importMdevctl,
  journal: async () => (await import('./import-journal.ts')).importJournal,
};

const EXPORTS: Readonly<Record<What, () => Promise<Verb>>> = {
  mdevctl: async () => (await import('./export-mdevctl.ts')).exportMdevctl,
  journal: async () => (await import('./export-journal.ts')).exportJournal,
};

/** The command line has checked that the first argument is one of these. */
export const importing: Verb = async (invocation) => (await IMPORTS[whatOf(invocation)]())(invocation);

export const exporting: Verb = async (invocation) => (await EXPORTS[whatOf(invocation)]())(invocation);

function whatOf({ args }: Invocation): What {
  return args[0] as What;
}
