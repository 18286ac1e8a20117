/**
 * What changes for whoever watches devices: from what hosts report and what is declared, in the order of each stream.
 *
 * Pure. Of each device only digests of its rows are kept, some hundred bytes, so that a large fleet can be watched. What
 * was read before is passed over, since the start reads the last word of each device, and then all from before that on.
 */
import { sha256 } from '../../events/digest.ts';
import type { HostId, Uuid } from '../../events/names.ts';
import type { Standing } from '../declare/diff.ts';
import { isAskedFor, type Only, type ShownRow, unreportedRow } from './devices.ts';
import type { Report } from './reports.ts';

/**
 * `shown`: a row that is asked for and was not so before. `left`: one of a device of which none is asked for any more.
 * `gone`: of the device there is no row any more.
 */
export type Change =
  | { readonly change: 'shown' | 'left'; readonly row: ShownRow }
  | { readonly change: 'gone'; readonly host: HostId; readonly uuid: Uuid };

/** What is remembered of a device. */
type Known = {
  /** How far each stream was read. */
  reported: number;
  declared: number;
  /** Sequences of the declarations that its rows speak of. */
  covered: readonly number[];
  /** The declaration that stands, as a row, while no row speaks of it. */
  unreported: ShownRow | null;
  /** There was a row in its last report. */
  isThere: boolean;
  /** Of the rows that were asked for. */
  digests: readonly string[];
};

const DIGEST_CHARS = 12;

export class Watching {
  readonly #only: Only;
  readonly #hosts = new Map<HostId, Map<Uuid, Known>>();

  constructor(only: Only) {
    this.#only = only;
  }

  /** What a host's report changes. */
  report({ host, uuid, sequence, rows }: Report): readonly Change[] {
    const known = this.#known({ host, uuid });
    if (sequence <= known.reported) return [];
    known.reported = sequence;
    known.isThere = rows.length > 0;
    known.covered = rows.flatMap(({ generation }) => generation?.sequence ?? []);
    if (known.covered.includes(known.declared)) known.unreported = null;
    return this.#changes({ host, uuid }, known, rows);
  }

  /** What a declaration changes: it is a row of its own until its host has reported on it. */
  declare(host: HostId, uuid: Uuid, { sequence, declaration }: Standing): readonly Change[] {
    const known = this.#known({ host, uuid });
    if (sequence <= known.declared) return [];
    known.declared = sequence;
    const { unreported: before, digests } = known;
    const isOpen = declaration?.desired === 'present' && !known.covered.includes(sequence);
    known.unreported = isOpen ? unreportedRow(declaration.data) : null;
    if (before !== null) known.digests = digests.filter((one) => one !== digestOf(before));
    if (known.unreported !== null) return this.#added(known, known.unreported, digests);
    const isGone = digests.length > 0 && known.digests.length === 0 && !known.isThere;
    return isGone ? [{ change: 'gone', host, uuid }] : [];
  }

  /** That an operator has forgotten the host changes all that was shown of it; what is known of it begins anew. */
  forget(host: HostId): readonly Change[] {
    const devices = [...(this.#hosts.get(host) ?? [])];
    this.#hosts.delete(host);
    const shown = devices.filter(([, { digests }]) => digests.length > 0);
    return shown.map(([uuid]) => ({ change: 'gone', host, uuid }));
  }

  #known({ host, uuid }: { readonly host: HostId; readonly uuid: Uuid }): Known {
    const devices = this.#hosts.get(host) ?? new Map<Uuid, Known>();
    this.#hosts.set(host, devices);
    const known = devices.get(uuid);
    if (known !== undefined) return known;
    const never = { reported: 0, declared: 0 };
    const fresh: Known = { ...never, covered: [], unreported: null, isThere: false, digests: [] };
    devices.set(uuid, fresh);
    return fresh;
  }

  #changes(
    device: { readonly host: HostId; readonly uuid: Uuid },
    known: Known,
    reported: readonly ShownRow[],
  ): readonly Change[] {
    const rows = [...reported, ...(known.unreported === null ? [] : [known.unreported])];
    const asked = rows
      .filter((row) => isAskedFor(row, this.#only))
      .map((row) => ({ row, digest: digestOf(row) }));
    const before = known.digests;
    known.digests = asked.map(({ digest }) => digest);
    const news = asked.filter(({ digest }) => !before.includes(digest));
    if (asked.length > 0 || before.length === 0) return news.map(({ row }) => ({ change: 'shown', row }));
    if (rows.length === 0) return [{ change: 'gone', ...device }];
    return rows.map((row) => ({ change: 'left', row }));
  }

  #added(known: Known, row: ShownRow, before: readonly string[]): readonly Change[] {
    if (!isAskedFor(row, this.#only)) return [];
    const digest = digestOf(row);
    known.digests = [...known.digests, digest];
    return before.includes(digest) ? [] : [{ change: 'shown', row }];
  }
}

/** Of all that a row shows; which declaration it speaks of is none of it. */
function digestOf({ generation: _generation, ...shown }: ShownRow): string {
  return sha256(new TextEncoder().encode(JSON.stringify(shown))).slice(0, DIGEST_CHARS);
}
