import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { METRICS_FILE, withTable } from '../../tools/metrics.ts';

test('the metrics that are documented are those of the agent; `npm run docs` writes them', () => {
  const document = readFileSync(METRICS_FILE, 'utf8');
  expect(document).toContain('`mdevfleet_build_info`');
  expect(document).toBe(withTable(document));
});
