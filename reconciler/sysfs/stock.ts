/**
 * Takes stock of a host: its parents, and what each offers.
 *
 * Every file of a type is answered by a driver, so helpers read them. What a type is called does not
 * change while its parent stays registered, and is read once; how much is left is read each time. Devices
 * that come or go meanwhile would make the two sides of a parent's account differ: it is then left untold.
 */
import { isDeepStrictEqual } from 'node:util';
import { countByType, type Offer, type Offering, type Stock } from '../host.ts';
import { typeFolder } from './paths.ts';
import { driverOf, parents, registrationOf, standingOn, typesOf } from './read.ts';
import { unreadable } from './unreadable.ts';
import type { WriterPool } from './writer-pool.ts';

type Title = Pick<Offer, 'name' | 'api'>;

export class StockTaker {
  readonly #root: string;
  readonly #readers: WriterPool;
  /** By the registration of the parent, and the type. */
  #titles = new Map<string, Title>();

  constructor(root: string, readers: WriterPool) {
    this.#root = root;
    this.#readers = readers;
  }

  /** Throws nothing that the system answers. */
  async take(): Promise<Stock> {
    const titles = new Map<string, Title>();
    const offerings: Offering[] = [];
    try {
      for (const parent of parents(this.#root)) offerings.push(await this.#offering(parent, titles));
    } catch (error) {
      return unreadable(error);
    }
    this.#titles = titles;
    return { kind: 'parents', parents: offerings };
  }

  async #offering(parent: string, titles: Map<string, Title>): Promise<Offering> {
    const registration = registrationOf(this.#root, parent);
    const before = standingOn(this.#root, parent);
    const offers: Offer[] = [];
    for (const type of typesOf(this.#root, parent)) {
      const folder = typeFolder(this.#root, { parent, type });
      const key = `${registration} ${type}`;
      const title = this.#titles.get(key) ?? (await this.#title(folder));
      titles.set(key, title);
      offers.push({
        id: type,
        ...title,
        available: count(await this.#read(`${folder}/available_instances`)),
      });
    }
    const steady = isDeepStrictEqual(before, standingOn(this.#root, parent));
    return {
      name: parent,
      driver: driverOf(this.#root, parent),
      offers: steady ? offers : offers.map((offer) => ({ ...offer, available: null })),
      standing: countByType(before),
    };
  }

  async #title(folder: string): Promise<Title> {
    const [name, api] = [await this.#read(`${folder}/name`), await this.#read(`${folder}/device_api`)];
    return { name: name?.trim() || null, api: api?.trim() || null };
  }

  /** null when it is not there, or cannot be read now. */
  async #read(file: string): Promise<string | null> {
    const ran = await this.#readers.run({ op: 'read', file }, null);
    return ran.kind === 'text' ? ran.text : null;
  }
}

function count(text: string | null): number | null {
  return text !== null && /^\d+\n?$/.test(text) ? Number(text) : null;
}
