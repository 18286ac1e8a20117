/**
 * Writes the table of docs/metrics.md from the metrics as they are defined, so that the two cannot differ.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { METRICS, type MetricSpec } from '../src/telemetry/metrics.ts';

export const METRICS_FILE = join(dirname(import.meta.dirname), 'docs', 'metrics.md');

const BEGIN = '<!-- Written by `npm run docs`. -->\n\n';
const END = '\n<!-- As far as here. -->\n';
/** Longer lists of values are told where they are. */
const VALUES_MAX = 8;
const ELSEWHERE: Readonly<Record<string, string>> = {
  reason: 'see [reasons.md](reasons.md)',
  kind: 'as in `mdevfleet log`',
};

/** The document with the table as it must be. */
export function withTable(document: string): string {
  const [before, rest] = document.split(BEGIN);
  const [, after] = (rest ?? '').split(END);
  if (after === undefined) throw new Error(`${METRICS_FILE} has lost the marks around its table`);
  const rows = Object.values<MetricSpec>(METRICS).map(row);
  const head = '| metric | type | labels | meaning |\n|---|---|---|---|\n';
  return `${before}${BEGIN}${head}${rows.join('')}${END}${after}`;
}

function row({ name, type, labels = {}, help }: MetricSpec): string {
  const cells = Object.entries(labels).map(([label, values]) => `\`${label}\`${valuesOf(label, values)}`);
  return `| \`${name}\` | ${type} | ${cells.join('; ')} | ${help} |\n`;
}

function valuesOf(label: string, values: readonly string[]): string {
  if (values.length === 0) return '';
  return values.length > VALUES_MAX || label === 'reason'
    ? `: ${ELSEWHERE[label] ?? values.length}`
    : `: ${values.join(', ')}`;
}

if (import.meta.main) await writeFile(METRICS_FILE, withTable(await readFile(METRICS_FILE, 'utf8')));
