/**
 * Operators of the simulated fleet: they declare, withdraw, move and retry, and publish each event
 * until the stream has it; sometimes once more, much later.
 */
import { type Encoded, encodeCommand, encodeDeclaration } from '../../events/codec.ts';
import type { Declaration, EventMeta } from '../../events/declaration.ts';
import type { Attribute, Claim } from '../../events/names.ts';
import { type Streams, StreamUnavailable } from '../../events/stream.ts';
import { PARENTS, PREFIX, TYPES } from './machine.ts';
import type { World } from './world.ts';

export class Operator {
  readonly #world: World;
  readonly #streams: Streams;
  readonly #hosts: readonly string[];
  /** Few UUIDs and many hosts: they are declared over and over, and collide. */
  readonly uuids: readonly string[];
  #events = 0;

  constructor(world: World, streams: Streams, hosts: readonly string[], uuidCount: number) {
    this.#world = world;
    this.#streams = streams;
    this.#hosts = hosts;
    this.uuids = Array.from({ length: uuidCount }, (_, at) => uuidOf(at));
  }

  /** One random act. */
  act(): void {
    const uuid = this.#world.pick(this.uuids);
    const host = this.#world.pick(this.#hosts);
    const dice = this.#world.random();
    if (dice < 0.5) this.#publish(this.present(uuid, host));
    else if (dice < 0.8) this.#publish(this.absent(uuid, host));
    else if (dice < 0.9) this.#retry(uuid, host);
    else this.#move(uuid, host);
  }

  present(uuid: string, host: string, replaces?: Claim): Declaration {
    const data = {
      ...{ uuid, host, parent: this.#world.pick(PARENTS), type: this.#world.pick(TYPES) },
      ...(replaces === undefined ? {} : { replaces }),
    };
    const rated = data.type === 'sim-a' && this.#world.chance(0.5);
    const attributes: Attribute[] = [{ name: 'rate', value: this.#world.chance(0.9) ? '5' : 'none' }];
    return { desired: 'present', event: this.#meta(), data: rated ? { ...data, attributes } : data };
  }

  absent(uuid: string, host: string): Declaration {
    return { desired: 'absent', event: this.#meta(), data: { uuid, host } };
  }

  #move(uuid: string, from: string): void {
    const to = this.#world.pick(this.#hosts);
    const claim = { host: from, parent: this.#world.pick(PARENTS), type: this.#world.pick(TYPES) };
    if (to !== from) this.#publish(this.absent(uuid, from));
    this.#publish(this.present(uuid, to, claim));
  }

  #retry(uuid: string, host: string): void {
    this.#send(
      encodeCommand(PREFIX, { command: 'retry', event: this.#meta(), data: { uuid, host } }),
      'command',
    );
  }

  #publish(declaration: Declaration): void {
    const event = encodeDeclaration(PREFIX, declaration);
    this.#send(event, 'desired');
    if (this.#world.chance(0.05))
      this.#world.after(300_000 * this.#world.random(), () => this.#send(event, 'desired'));
  }

  #send(event: Encoded, to: 'desired' | 'command'): void {
    this.#world.note('operator', `publishes ${event.subject} ${new TextDecoder().decode(event.data)}`);
    void this.#streams[to].append(event).catch((error: unknown) => {
      if (!(error instanceof StreamUnavailable)) throw error;
    });
  }

  #meta(): EventMeta {
    this.#events += 1;
    return { id: `event-${this.#events}`, source: 'sim', time: this.#world.wall() };
  }
}

function uuidOf(at: number): string {
  return `00000000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`;
}
