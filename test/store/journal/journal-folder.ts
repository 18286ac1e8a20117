/**
 * A folder for the journal of one test.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder of this test's own, gone when the test is over. */
export function makeTempFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'mdevfleet-journal-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
