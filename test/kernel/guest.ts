/**
 * Boots Debian's kernel in an emulated machine and runs programs of this checkout in it, on the host's own /usr.
 *
 * The guest sees the checkout, /usr and Node read-only at the paths they have on the host, and the caller's work folder
 * at /guest/shared. What it runs gets a kernel, a loopback interface and nothing of the host's network. A machine ends
 * by itself, at its deadline, when its signal is aborted, or with the process that started it: it is never left over.
 */
import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { guestKernel } from '../../tools/kernel.ts';
import { type BootScript, bootScript, DEFAULT_IDENTITY, type GuestProgram } from './boot-script.ts';
import { GUEST_CODE, isCode, joinCode, joinedPath } from './guest-code.ts';
import { ensureDisk, machine } from './machine.ts';
import { sharedFolders } from './shares.ts';

export type GuestOptions = {
  /** Run one after the other in one boot. */
  readonly programs: readonly GuestProgram[];
  /** A folder of the host, read-write at /guest/shared. */
  readonly work: string;
  /** An ext4 file system at /guest/disk, kept in the work folder from boot to boot. */
  readonly disk?: boolean;
  /** How many PCI parents the machine has, at the addresses that `pciParent` gives. */
  readonly edu?: number;
  /** Parameters of the test driver; null: it is not loaded. */
  readonly driver?: BootScript['driver'];
  /** More folders of the host, read-only at their own paths. */
  readonly shares?: readonly string[];
  readonly identity?: BootScript['identity'];
  readonly deadlineMs?: number;
  /** Abort it to cut the power. */
  readonly signal?: AbortSignal;
  readonly onLine?: (program: string, line: string) => void;
};

export type ProgramReport = {
  readonly name: string;
  /** As a shell says it: 137 for one that was killed at its deadline. Null: it did not end. */
  readonly status: number | null;
  readonly output: readonly string[];
  readonly errors: string;
  /** Of the guest's clock, since its boot. */
  readonly startedSeconds: number;
  readonly endedSeconds: number | null;
};

export type GuestReport = {
  readonly ended: 'powered-off' | 'panicked' | 'overdue' | 'cut';
  readonly programs: readonly ProgramReport[];
  /** Lines of the console that say the kernel itself went wrong. */
  readonly complaints: readonly string[];
  readonly console: string;
};

export const DEADLINE_MS = 280_000;
const COMPLAINT =
  /Kernel panic|Oops|\bBUG: (?!soft lockup)|WARNING: CPU|general protection|refcount_t:|UBSAN/;
const CONSOLE = 'console.log';

/**
 * Boots one machine and returns when it is off. That a program fails, or even the kernel, is part of the report.
 * @throws if there is no kernel to boot or the emulator does not start or fails, with what it said.
 */
export async function bootGuest(options: GuestOptions): Promise<GuestReport> {
  const { work, disk = false, edu = 0 } = options;
  const kernel = await guestKernel();
  await mkdir(work, { recursive: true });
  const code = codeFolder(work);
  await joinCode(
    options.programs.flatMap(({ argv }) => argv.filter(isCode)),
    code,
  );
  const shares = await sharedFolders(options.shares ?? [], { source: code, folder: GUEST_CODE });
  if (disk) await ensureDisk(work);
  const script: BootScript = {
    programs: options.programs.map(joined),
    disk,
    shares,
    driver: options.driver === undefined ? {} : options.driver,
    identity: options.identity ?? DEFAULT_IDENTITY,
  };
  await writeFile(join(work, 'boot.sh'), bootScript(script));
  await rm(join(work, CONSOLE), { force: true });
  const log = new ReportLog(options.programs, options.onLine);
  const { dmiUuid } = script.identity;
  const argv = machine({ kernel, work, disk, edu, shares, console: CONSOLE, dmiUuid });
  const killed = await emulate(argv, log, options);
  const text = (await readFile(join(work, CONSOLE), 'latin1')).replaceAll('\r', '');
  return {
    ended: ending(killed, log.poweredOff, options.signal),
    programs: await log.reports(work),
    complaints: text.split('\n').filter((line) => COMPLAINT.test(line)),
    console: text,
  };
}

/** Where in the work folder the code of the checkout is that a guest runs. */
export function codeFolder(work: string): string {
  return join(work, 'code');
}

function joined(program: GuestProgram): GuestProgram {
  const [command, ...words] = program.argv;
  return { ...program, argv: [command, ...words.map((word) => (isCode(word) ? joinedPath(word) : word))] };
}

function ending(killed: boolean, poweredOff: boolean, signal?: AbortSignal): GuestReport['ended'] {
  if (killed) return signal?.aborted === true ? 'cut' : 'overdue';
  return poweredOff ? 'powered-off' : 'panicked';
}

/** Runs the emulator to its end; true if it was killed. Its death goes with ours, whatever ends us. */
async function emulate(argv: readonly string[], log: ReportLog, options: GuestOptions): Promise<boolean> {
  const { signal, deadlineMs = DEADLINE_MS } = options;
  // Standard input stays open: at its end the emulator would close the report port, and the guest would block on it.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...argv], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
    ...(signal === undefined ? {} : { signal }),
  });
  createInterface({ input: child.stdout }).on('line', (line) => log.add(line));
  const said: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
  return new Promise((resolve, reject) => {
    child.on('error', (error) => error.name === 'AbortError' || reject(error));
    child.on('close', (code) => {
      if (code !== 0 && code !== null) reject(new Error(`The emulator failed (${code}): ${said.join('')}`));
      else resolve(code === null);
    });
  });
}

type Draft = { status: number | null; output: string[]; startedSeconds: number; endedSeconds: number | null };

/** What the machine says on its report port: lines of programs, and between them those of boot.sh that begin with @. */
class ReportLog {
  poweredOff = false;
  readonly #drafts = new Map<string, Draft>();
  readonly #programs: readonly GuestProgram[];
  readonly #onLine: GuestOptions['onLine'];
  #current: string | undefined;

  constructor(programs: readonly GuestProgram[], onLine: GuestOptions['onLine']) {
    this.#programs = programs;
    this.#onLine = onLine;
  }

  add(line: string): void {
    const [word = '', ...rest] = line.split(' ');
    if (word === '@begin') this.#begin(Number(rest[0]), Number(rest[1]));
    else if (word === '@end') this.#end(Number(rest[0]), Number(rest[1]));
    else if (word === '@off') this.poweredOff = true;
    else this.#output(line);
  }

  #begin(index: number, startedSeconds: number): void {
    const name = this.#programs[index]?.name ?? `program ${index}`;
    this.#current = name;
    this.#drafts.set(name, { status: null, output: [], startedSeconds, endedSeconds: null });
  }

  #end(status: number, endedSeconds: number): void {
    const draft = this.#drafts.get(this.#current ?? '');
    if (draft !== undefined) Object.assign(draft, { status, endedSeconds });
    this.#current = undefined;
  }

  #output(line: string): void {
    if (this.#current === undefined || line === '') return;
    this.#drafts.get(this.#current)?.output.push(line);
    this.#onLine?.(this.#current, line);
  }

  async reports(work: string): Promise<readonly ProgramReport[]> {
    const drafts = [...this.#drafts].map(async ([name, draft]) => {
      return { name, ...draft, errors: await readFile(join(work, `${name}.stderr`), 'utf8') };
    });
    return Promise.all(drafts);
  }
}
