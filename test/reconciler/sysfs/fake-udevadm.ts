/**
 * A program in the place of udevadm: a shell script that does what a test needs.
 */
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HEADER } from './uevent-text.ts';

/** Says that it listens, and then what it is told to. */
export const LISTENS = 'cat "$0.header"; exec tail -n +1 -f "$0.said"';

export class FakeUdevadm {
  readonly #folder = mkdtempSync(join(tmpdir(), 'udevadm-'));
  readonly program = join(this.#folder, 'udevadm');

  constructor(body: string) {
    writeFileSync(`${this.program}.header`, HEADER);
    writeFileSync(`${this.program}.said`, '');
    writeFileSync(this.program, `#!/bin/sh\necho "$$ $*" >>"$0.starts"\n${body}\n`, { mode: 0o755 });
  }

  /** Has it write this now, and after each further start. */
  say(text: string): void {
    appendFileSync(`${this.program}.said`, text);
  }

  /** Pid and arguments of each start. */
  get starts(): readonly string[] {
    const file = `${this.program}.starts`;
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }

  /** Of the last start. */
  get pid(): number {
    return Number.parseInt(this.starts.at(-1) ?? '', 10);
  }

  isRunning(): boolean {
    try {
      return process.kill(this.pid, 0);
    } catch {
      return false;
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }
}
