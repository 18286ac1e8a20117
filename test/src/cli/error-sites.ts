/**
 * Every place where an error is made that ends a run, found in the sources; and those that no line of the list of
 * errors can reach, each with the reason.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const ROOT = dirname(dirname(dirname(import.meta.dirname)));
const ROOMS = ['events', 'store', 'reconciler', 'src'];

/**
 * The errors that failures.ts knows by name; but a server or a file that does not answer is one thing to people, wherever
 * that shows: StreamUnavailable and RegistryUnavailable have one way out, and failures.test.ts has them.
 */
const MADE =
  /\bnew (Failure|ConnectFailed|InitFailed|JournalRefused|EmbeddedUnavailable|ConnectionLost|Stream(Missing|Forbidden)|RegistryMissing)\(/;

/** Lines of a site that are looked at for the text of an exception. */
const SITE_LINES = 4;

/** `at` is `file:line`; the text begins there. */
export type Site = { readonly at: string; readonly text: string };

export function errorSites(): readonly Site[] {
  const files = ROOMS.flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' }).map((name) => join(room, name)),
  );
  return files.filter((file) => file.endsWith('.ts')).flatMap(sitesIn);
}

function sitesIn(file: string): readonly Site[] {
  const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const text = lines.slice(index, index + SITE_LINES).join(' ');
    return MADE.test(line) ? [{ at: `${file}:${index + 1}`, text }] : [];
  });
}

/** Where an error, and each that caused it, was made: its frames are told, and more of them does no harm. */
export function madeAt(error: unknown): readonly string[] {
  const made: string[] = [];
  for (let one = error; one instanceof Error; one = one.cause) {
    const frames = [...(one.stack ?? '').matchAll(/\(?(?:file:\/\/)?(\/[^()\s]*\.ts):(\d+):\d+\)?/g)];
    made.push(...frames.map(([, path = '', line]) => `${relative(ROOT, path)}:${line}`));
  }
  return made;
}

/** The file, a part of the text, and why nobody can cause it with a command line alone. */
export const ELSEWHERE: readonly (readonly [file: string, text: string, why: string])[] = [
  ['src/machine.ts', '/etc/machine-id is missing', 'needs another machine'],
  ['src/cli/apply.ts', 'it was not confirmed', 'is asked on a terminal only: apply-asked.test.ts'],
  ['src/cli/call.ts', 'and has answered', 'needs a host that answers: hosts.contract.ts'],
  ['src/cli/guarded.ts', 'it ended in', 'needs a file that kills its reader: past.test.ts'],
  ['src/cli/init.ts', 'did not take all settings', 'needs a server that is not supported'],
  ['src/cli/forget.ts', 'taking the word from', 'needs a server that stops in the midst of it'],
  ['src/cli/forget.ts', 'withdrawing what is declared', 'needs a server that stops in the midst of it'],
  ['src/cli/release.ts', 'by force: ', 'needs a server that stops in the midst of it'],
  ['src/cli/reopen.ts', 'begun to rebuild once more', 'needs a loss in the midst of it'],
  ['src/demo/confirm.ts', 'showing the demo', 'says that the program is wrong'],
  ['src/demo/stage.ts', 'the demo was stopped', 'needs a signal: demo.test.ts'],
  ['src/demo/stage.ts', 'new Failure(message', 'says that the program is wrong'],
  ['src/demo/watch.ts', 'it has not come', 'says that the program is wrong'],
  [
    'store/journal/archiving.ts',
    'JournalRefused',
    'needs damage in the midst of it: a journal is checked first',
  ],
  ['store/journal/journal-lmdb.ts', "'absent'", 'no verb opens a journal to write that may not be there'],
  ['store/journal/restore.ts', 'no journal', 'what is restored was verified, or follows'],
];
