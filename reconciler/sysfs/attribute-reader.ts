/**
 * Reads attributes of devices back, through helpers of their own.
 *
 * A driver's code runs behind each file and may hang. So these helpers are not those that the rest of
 * looking at devices needs, a device whose read hangs is not read again before it returns, and with too
 * many hanging nothing is read at all. What was not read cannot be told; nothing follows from that.
 */
import type { Attribute, Uuid } from '../../events/names.ts';
import type { Place } from '../host.ts';
import { deviceFolder } from './paths.ts';
import { createWriterPool, type WriterPool, type WriterPoolOptions } from './writer-pool.ts';

const HELPERS_MAX = 2;
/** Reads that hang at once, before no more are begun. */
const HANGING_MAX = 4;

export class AttributeReader {
  readonly #root: string;
  readonly #options: WriterPoolOptions;
  readonly #start: typeof createWriterPool;
  readonly #reading = new Set<Uuid>();
  readonly #hanging = new Set<Uuid>();
  #pool: WriterPool | null = null;

  constructor(
    root: string,
    options: Omit<WriterPoolOptions, 'helpersMin' | 'helpersMax' | 'stuckMax'>,
    start = createWriterPool,
  ) {
    this.#root = root;
    this.#start = start;
    this.#options = { ...options, helpersMin: 1, helpersMax: HELPERS_MAX, stuckMax: HANGING_MAX };
  }

  /** Starts a helper, if there is none yet: most hosts have no attributes to read. */
  prepare(): WriterPool {
    this.#pool ??= this.#start(this.#options);
    return this.#pool;
  }

  /** Those of the names that can be read, of a device that is still of this type. */
  async read(uuid: Uuid, { parent, type }: Place, names: readonly string[]): Promise<readonly Attribute[]> {
    if (names.length === 0 || this.#isHanging(uuid)) return [];
    const device = deviceFolder(this.#root, parent, uuid);
    this.#reading.add(uuid);
    const ran = await this.prepare().run({ op: 'read-attributes', device, type, names }, uuid);
    this.#reading.delete(uuid);
    if (ran.kind === 'stuck') this.#hanging.add(uuid);
    return ran.kind === 'attributes' ? ran.attributes : [];
  }

  #isHanging(uuid: Uuid): boolean {
    for (const one of this.#hanging) {
      if (this.prepare().writing(one) === undefined) this.#hanging.delete(one);
    }
    return this.#reading.has(uuid) || this.#hanging.has(uuid) || this.#hanging.size >= HANGING_MAX;
  }

  async close(): Promise<void> {
    await this.#pool?.close();
  }
}
