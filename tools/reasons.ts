/**
 * Writes docs/reasons.md from the texts by which the agent and `mdevfleet explain` go, so that the three cannot differ.
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ErrnoEntry, everything, type ReasonEntry } from '../src/look/explained.ts';

export const REASONS_FILE = join(dirname(import.meta.dirname), 'docs', 'reasons.md');

const { reasons, errnos } = everything();

/** The whole document. */
export function reasonsDocument(): string {
  return [
    '# Reasons, and answers of the kernel',
    '',
    'Why a device is not (yet) as declared, and what to do about it. `mdevfleet get devices` shows the reason,',
    '`mdevfleet explain REASON` and `mdevfleet explain ERRNO` show what is below. Behind each reason is what to do, step',
    'by step. This file is written by `npm run docs`.',
    '',
    ...section('Waiting', 'The agent goes on by itself, without another declaration.', 'waiting'),
    ...section(
      'Terminal',
      'Nothing more is done for this declaration. A new one, or `mdevfleet retry`, begins anew.',
      'terminal',
    ),
    ...section(
      'Drift',
      'A device that was whole is not any more. It is recorded once, and made good.',
      'drift',
    ),
    '## Answers of the kernel',
    '',
    'An errno says little of itself: the same number means one thing from `create` and another from `remove`. An answer',
    'that is not listed is one of the driver: from an attribute it ends in AttributeRefused, else it leads to',
    'KernelError.',
    '',
    ...table(
      ['errno', 'answer to', 'meaning', 'the agent', 'reason while it lasts'],
      errnos.flatMap(errnoRows),
    ),
    '',
  ].join('\n');
}

function section(title: string, about: string, kind: ReasonEntry['kind']): readonly string[] {
  const rows = reasons.filter((one) => one.kind === kind);
  const cells = rows.map(({ reason, meaning, ends, hint, guide }) => [
    `[${reason}](${guide.replace(/^docs\//, '')})`,
    meaning,
    ends,
    hint,
  ]);
  return [
    `## ${title}`,
    '',
    about,
    '',
    ...table(['reason', 'what is the case', 'what ends it', 'way out'], cells),
    '',
  ];
}

function errnoRows({ name, errno, answers }: ErrnoEntry): readonly (readonly string[])[] {
  return answers.map(({ operation, call, meaning, then, reason }) => [
    `${name} (${errno})`,
    call === null ? operation : `${operation}, ${call}`,
    meaning,
    then,
    reason,
  ]);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const lines = [header, header.map(() => '---'), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`);
}

if (import.meta.main) await writeFile(REASONS_FILE, reasonsDocument());
