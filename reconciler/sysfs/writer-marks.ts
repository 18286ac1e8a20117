/**
 * Marks: how the next agent knows which helpers of an earlier one still write to sysfs.
 *
 * Each helper keeps one small file, named by its pid, and says in it for which UUID it is
 * writing, from before the write until after it. A pid alone proves nothing, since pids are used
 * again; together with the process's start time and the boot it names one process for ever.
 */
import { closeSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { readText, startOf } from './process-stat.ts';

/** Stands for no UUID. All marks have the same length, so one overwrites another completely. */
const NOTHING = '-'.repeat(36);
const MARK = /^(?<boot>\S+) +(?<start>\d+) (?<uuid>[0-9a-f-]{36})\n$/;
const START_DIGITS = 20;

/** Who a process is, beyond its pid. */
type Identity = { readonly boot: string; readonly start: string };

/** The mark of the process that makes it. */
export class Mark {
  readonly #file: string;
  readonly #fd: number;
  readonly #identity: Identity;

  constructor(folder: string, pid: number) {
    this.#file = `${folder}/${pid}`;
    this.#identity = identify('/proc', pid) ?? { boot: '-', start: '0' };
    this.#fd = openSync(this.#file, 'w', 0o600);
    this.set(null);
  }

  /** Says for which UUID a write begins; null when it has returned. */
  set(uuid: string | null): void {
    const { boot, start } = this.#identity;
    writeSync(this.#fd, `${boot} ${start.padStart(START_DIGITS)} ${uuid ?? NOTHING}\n`, 0);
  }

  remove(): void {
    closeSync(this.#fd);
    rmSync(this.#file, { force: true });
  }
}

/**
 * UUID → pid of every helper that is alive and writing. Marks of dead ones are deleted.
 * @param proc where /proc is
 */
export function busyWriters(folder: string, proc: string): ReadonlyMap<string, number> {
  const busy = new Map<string, number>();
  for (const name of readdirSync(folder).filter((one) => /^\d+$/.test(one))) {
    const state = stateOf(folder, Number(name), proc);
    if (state.kind === 'dead') rmSync(`${folder}/${name}`, { force: true });
    else if (state.uuid !== null) busy.set(state.uuid, Number(name));
  }
  return busy;
}

/** True while this very process writes for this UUID. */
export function isWriting(folder: string, pid: number, uuid: string, proc: string): boolean {
  const state = stateOf(folder, pid, proc);
  return state.kind === 'alive' && state.uuid === uuid;
}

type State = { readonly kind: 'dead' } | { readonly kind: 'alive'; readonly uuid: string | null };

function stateOf(folder: string, pid: number, proc: string): State {
  const identity = identify(proc, pid);
  if (identity === null) return { kind: 'dead' };
  const mark = MARK.exec(readText(`${folder}/${pid}`) ?? '')?.groups;
  // A helper that has just been started has not written its mark yet, and writes nothing else.
  if (mark === undefined) return { kind: 'alive', uuid: null };
  if (mark['boot'] !== identity.boot || mark['start'] !== identity.start) return { kind: 'dead' };
  return { kind: 'alive', uuid: mark['uuid'] === NOTHING ? null : (mark['uuid'] ?? null) };
}

/** Null when there is no such process, or only its exit status is left of it. */
function identify(proc: string, pid: number): Identity | null {
  const start = startOf(proc, pid);
  const boot = readText(`${proc}/sys/kernel/random/boot_id`);
  return start === null || boot === null ? null : { boot: boot.trim(), start };
}
