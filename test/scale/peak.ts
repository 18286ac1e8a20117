/**
 * Preloaded into a program that is measured: writes the most memory that it ever had, in KiB, to the file PEAK_FILE.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const file = process.env['PEAK_FILE'];
if (file !== undefined) {
  process.on('exit', () => {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
    writeFileSync(file, kib);
  });
}
