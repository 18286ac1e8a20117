/**
 * What `udevadm monitor --kernel --property` writes, as changes.
 *
 * An event is a block of KEY=VALUE lines that ends with a blank line. A device is announced in
 * the subsystem mdev, its parent in one of its own, so a parent is known by its MDEV_STATE. What
 * is not understood is passed over: a change only says where to look.
 */
import { isSegment, uuid as uuidSchema } from '../../events/names.ts';
import type { Change } from '../host.ts';

/** A change, or that from now on none is missed. */
export type Heard = Change | { readonly kind: 'listening' };

/** The kernel's buffer for all lines of one event is half of this. */
const LINE_CHARS_MAX = 4096;
/** The last line of what is written before the first event, when the socket is open. */
const LISTENING = /^KERNEL - /;
const KEYS = ['DEVPATH', 'SUBSYSTEM', 'MDEV_STATE'] as const;

type Event = Map<string, string>;

/** Understands text as it arrives, in pieces of whatever size. */
export class UeventParser {
  #line = '';
  #event: Event = new Map();

  /** What is known now that this piece has arrived, in order. */
  feed(piece: string): readonly Heard[] {
    const [first = '', ...rest] = piece.split('\n');
    const heard: Heard[] = [];
    this.#extend(first);
    for (const part of rest) {
      heard.push(...this.#end(this.#line));
      this.#line = '';
      this.#extend(part);
    }
    return heard;
  }

  /** A line that is too long stays too long, and is not kept. */
  #extend(part: string): void {
    this.#line = (this.#line + part).slice(0, LINE_CHARS_MAX + 1);
  }

  #end(line: string): readonly Heard[] {
    if (line === '') return this.#endEvent();
    if (LISTENING.test(line)) return [{ kind: 'listening' }];
    const key = KEYS.find((one) => line.startsWith(`${one}=`));
    // The kernel's own lines come before those of a driver.
    const isNews = key !== undefined && line.length <= LINE_CHARS_MAX && !this.#event.has(key);
    if (isNews) this.#event.set(key, line.slice(key.length + 1));
    return [];
  }

  #endEvent(): readonly Heard[] {
    const change = changeOf(this.#event);
    this.#event = new Map();
    return change === null ? [] : [change];
  }
}

function changeOf(event: Event): Change | null {
  const name = event.get('DEVPATH')?.split('/').at(-1) ?? '';
  if (event.get('SUBSYSTEM') === 'mdev') {
    return uuidSchema.safeParse(name).success ? { kind: 'device', uuid: name } : null;
  }
  return event.has('MDEV_STATE') && isSegment(name) ? { kind: 'parent', parent: name } : null;
}
