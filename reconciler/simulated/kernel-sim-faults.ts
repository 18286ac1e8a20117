/**
 * Which of the configured faults strike an operation.
 */
import type { Uuid } from '../../events/names.ts';
import type { Duration, Fault } from './kernel-sim-config.ts';

/** What is done to one operation: null leaves it as it is. */
export type Strike = { readonly delayMs: Duration | null; readonly errno: number | null };

/** Counts, for each fault, the operations that it matches. */
export class Faults {
  readonly #counted: { readonly fault: Fault; matches: number }[];

  constructor(faults: readonly Fault[]) {
    this.#counted = faults.map((fault) => ({ fault, matches: 0 }));
  }

  /** Adds a fault while the kernel runs. */
  add(fault: Fault): void {
    this.#counted.push({ fault, matches: 0 });
  }

  /** Counts the operation and says what strikes it; of several faults, the first delay and the first errno. */
  strike(on: Fault['on'], uuid: Uuid, parent: string | null): Strike {
    const active = this.#counted.filter((one) => matches(one.fault, on, uuid, parent)).filter(countsAsActive);
    return {
      delayMs: active.find(({ fault }) => fault.delayMs !== undefined)?.fault.delayMs ?? null,
      errno: active.find(({ fault }) => fault.errno !== undefined)?.fault.errno ?? null,
    };
  }
}

function matches(fault: Fault, on: Fault['on'], uuid: Uuid, parent: string | null): boolean {
  return (
    fault.on === on &&
    (fault.uuid === undefined || fault.uuid === uuid) &&
    (fault.parent === undefined || fault.parent === parent)
  );
}

function countsAsActive(one: { readonly fault: Fault; matches: number }): boolean {
  one.matches += 1;
  const { first, every } = one.fault;
  return (first === undefined || one.matches <= first) && (every === undefined || one.matches % every === 0);
}
