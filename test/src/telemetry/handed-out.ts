/**
 * What is handed out for Prometheus and Grafana, and the expressions in it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..', '..', '..');
export const RULES_FILE = join(ROOT, 'deploy', 'prometheus', 'mdevfleet.rules.yaml');
const DASHBOARD_FILE = join(ROOT, 'deploy', 'grafana', 'mdevfleet.json');

const texts = z.record(z.string(), z.string());
const rule = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: texts,
  annotations: z.strictObject({ summary: z.string(), runbook: z.string() }),
});
const ruleFile = z.object({ groups: z.array(z.object({ rules: z.array(rule) })) });
export type Alert = z.infer<typeof rule>;

export const alerts: readonly Alert[] = ruleFile
  .parse(parse(readFileSync(RULES_FILE, 'utf8')))
  .groups.flatMap(({ rules }) => rules);

const panel = z.object({
  type: z.string(),
  title: z.string(),
  targets: z.array(z.object({ expr: z.string() })).default([]),
});
const dashboard = z.object({
  panels: z.array(panel),
  templating: z.object({ list: z.array(z.object({ name: z.string(), definition: z.string().optional() })) }),
  annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
});

const { panels, templating, annotations } = dashboard.parse(JSON.parse(readFileSync(DASHBOARD_FILE, 'utf8')));

/** Expressions of the dashboard by where they stand, as Grafana asks when everything is chosen. */
export const panelExpressions: readonly (readonly [title: string, expr: string])[] = panels.flatMap(
  ({ title, targets }) => targets.map(({ expr }, index) => [`${title} ${index}`, chosen(expr)] as const),
);

/** The series among which the dashboard lets somebody choose. */
export const choices: readonly string[] = templating.list.flatMap(({ definition = '' }) =>
  [...definition.matchAll(/^label_values\((.*), \w+\)$/g)].map(([, series = '']) => chosen(series)),
);

/** Expressions that mark moments, and have data at these only. */
export const marks: readonly string[] = annotations.list.map(({ expr }) => chosen(expr));

function chosen(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$instance', '.*')
    .replaceAll('$job', 'mdevfleet');
}

/** The series that an expression asks for, each of which must exist; of a metric with a matcher, as it is matched. */
export function selectors(expr: string): readonly string[] {
  return [...expr.matchAll(/\b(?:mdevfleet_|process_|up\b)\w*(?:\{[^}]*\})?/g)].map(([selector]) => selector);
}
