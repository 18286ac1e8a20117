/**
 * The fleet's server in the simulation: three streams, the doorbell, the registry. It can go down, and
 * then every connection drops at once.
 */
import type { Message, Ring, StreamName } from '../../events/stream.ts';
import { ServerRegistry } from './server-registry.ts';
import { ServerStream } from './server-stream.ts';
import type { World } from './world.ts';

/** The server's duplicate window is 2 minutes; a run draws one of these, since its trouble is as short. */
const DUPLICATE_WINDOWS_MS = [5_000, 30_000, 120_000] as const;

export class Server {
  readonly desired: ServerStream;
  readonly observed: ServerStream;
  readonly command: ServerStream;
  readonly registry: ServerRegistry;
  /** Agents under a host id that is not theirs. While there are any, the registry must not forget whose it is. */
  strangers = 0;
  /** True once an operator has taken the word from a host: a registry that forgets that must not be asked who speaks. */
  hasForgotten = false;
  readonly #world: World;
  readonly #bells = new Map<string, Set<(ring: Ring) => void>>();
  readonly #watchers = new Set<(state: 'up' | 'down') => void>();
  #up = true;

  constructor(world: World) {
    this.#world = world;
    this.registry = new ServerRegistry(world);
    const duplicateWindowMs = world.pick(DUPLICATE_WINDOWS_MS);
    const make = (name: StreamName): ServerStream => {
      const onStored = (message: Message): void => this.#ring(name, message);
      return new ServerStream({ world, name, duplicateWindowMs, onStored });
    };
    this.desired = make('desired');
    this.observed = make('observed');
    this.command = make('command');
  }

  get streams(): readonly ServerStream[] {
    return [this.desired, this.observed, this.command];
  }

  get up(): boolean {
    return this.#up;
  }

  /** Takes the server down, or brings it up again. */
  setUp(up: boolean): void {
    if (this.#up === up) return;
    this.#up = up;
    this.#world.note('server', up ? 'is up' : 'is down');
    for (const watcher of [...this.#watchers]) watcher(up ? 'up' : 'down');
  }

  onState(watcher: (state: 'up' | 'down') => void): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  doorbell(host: string, onRing: (ring: Ring) => void): () => void {
    const bells = this.#bells.get(host) ?? new Set();
    this.#bells.set(host, bells.add(onRing));
    return () => void bells.delete(onRing);
  }

  #ring(stream: StreamName, { subject, sequence }: Message): void {
    if (stream === 'observed') return;
    const host = subject.split('.').at(-2) ?? '';
    for (const bell of [...(this.#bells.get(host) ?? [])]) bell({ stream, sequence });
  }
}
