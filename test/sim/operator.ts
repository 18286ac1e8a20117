/**
 * Operators of the simulated fleet: they declare, change, withdraw, move and retry, and publish each event
 * until the stream has it; sometimes once more, much later. Others publish what no agent can read.
 */
import { type Encoded, encodeCommand, encodeDeclaration } from '../../events/codec.ts';
import { ABSENT_TYPE, type Declaration, type EventMeta, PRESENT_TYPE } from '../../events/declaration.ts';
import type { Claim, Uuid } from '../../events/names.ts';
import type { StreamName } from '../../events/stream.ts';
import { NO_UUID } from '../../events/subject.ts';
import { vacate } from '../../store/registry/incarnation.ts';
import type { Dice } from './dice.ts';
import { PARENTS, PREFIX, someAttributes, somePlace, uuidOf } from './inventory.ts';
import type { Published } from './published.ts';
import type { Server } from './server.ts';
import type { World } from './world.ts';

/** Pause before publishing is tried again. */
const PUBLISH_RETRY_MS = 1_000;
/** Pause before a host that does not go on is told once more. */
const RESUME_AGAIN_MS = 60_000;
/** So long after an event it may be published once more. */
const LATE_RETRY_MS_MAX = 300_000;

export type OperatorParts = {
  readonly world: World;
  readonly server: Server;
  readonly published: Published;
  readonly hosts: readonly string[];
  readonly uuidCount: number;
};

type Act = { readonly weight: number; readonly run: (dice: Dice, uuid: Uuid, host: string) => void };

export class Operator {
  readonly #parts: OperatorParts;
  /** Few UUIDs and many hosts: they are declared over and over, and collide. */
  readonly uuids: readonly string[];
  /** What was last declared, by host and UUID. */
  readonly #claims = new Map<string, Claim>();
  /** Where a UUID was last declared present, wherever that was. */
  readonly #homes = new Map<Uuid, Claim>();
  readonly #acts: readonly Act[] = [
    { weight: 36, run: (dice, uuid, host) => this.#present(dice, uuid, host) },
    { weight: 22, run: (dice, uuid, host) => this.withdraw(dice, uuid, host) },
    { weight: 10, run: (dice, uuid, host) => this.#retry(dice, uuid, host) },
    { weight: 8, run: (dice, uuid, host) => this.#changeAttributes(dice, uuid, host) },
    { weight: 8, run: (dice, uuid, host) => this.#replace(dice, uuid, host) },
    { weight: 10, run: (dice, uuid) => this.#move(dice, uuid) },
    { weight: 10, run: (dice, uuid) => this.journey(dice, uuid) },
    { weight: 3, run: (dice, _, host) => this.#pause(dice, host) },
    { weight: 3, run: (dice, _, host) => this.#cordon(dice, host) },
    { weight: 2, run: (dice, uuid, host) => this.#garbage(dice, uuid, host) },
    { weight: 2, run: (dice, uuid, host) => this.#newer(dice, uuid, host) },
  ];
  #events = 0;

  constructor(parts: OperatorParts) {
    this.#parts = parts;
    this.uuids = Array.from({ length: parts.uuidCount }, (_, at) => uuidOf(at));
  }

  /** One random act. */
  act(dice: Dice): void {
    const act = dice.pick(this.#acts.flatMap((one) => Array.from({ length: one.weight }, () => one)));
    act.run(dice, dice.pick(this.uuids), dice.pick(this.#parts.hosts));
  }

  #present(dice: Dice, uuid: Uuid, host: string, replaces?: Claim): void {
    const claim = { host, ...somePlace(dice) };
    this.#declare(dice, uuid, claim, replaces);
  }

  #declare(dice: Dice, uuid: Uuid, claim: Claim, replaces?: Claim): void {
    const attributes = [...someAttributes(dice, claim.type)];
    const data = { uuid, ...claim, attributes, ...(replaces === undefined ? {} : { replaces }) };
    this.#claims.set(`${claim.host} ${uuid}`, claim);
    this.#homes.set(uuid, claim);
    this.#publish(dice, { desired: 'present', event: this.#meta(), data });
  }

  /** Declares the UUID absent on a host. */
  withdraw(dice: Dice, uuid: Uuid, host: string): void {
    this.#claims.delete(`${host} ${uuid}`);
    this.#publish(dice, { desired: 'absent', event: this.#meta(), data: { uuid, host } });
  }

  #changeAttributes(dice: Dice, uuid: Uuid, host: string): void {
    const claim = this.#claims.get(`${host} ${uuid}`);
    if (claim === undefined) this.#present(dice, uuid, host);
    else this.#declare(dice, uuid, claim);
  }

  /** Another place on the same host, naming the claim that is to go. */
  #replace(dice: Dice, uuid: Uuid, host: string): void {
    this.#present(dice, uuid, host, this.#claims.get(`${host} ${uuid}`));
  }

  /** Two events, in either order, and not always one right after the other. */
  #move(dice: Dice, uuid: Uuid): void {
    const { world, hosts } = this.#parts;
    const from = dice.pick(hosts);
    const claim = this.#claims.get(`${from} ${uuid}`);
    const to = dice.pick(hosts.filter((one) => one !== from));
    const leave = (): void => this.withdraw(dice, uuid, from);
    const come = (): void => this.#present(dice, uuid, to, claim ?? { host: from, ...somePlace(dice) });
    const [first, second] = dice.chance(0.7) ? [leave, come] : [come, leave];
    first();
    world.after(dice.chance(0.5) ? 0 : dice.between(1, 20_000), second);
  }

  /** From host to host, perhaps before any of them has heard of the move before, and perhaps back again. */
  journey(dice: Dice, uuid: Uuid): void {
    const { world, hosts } = this.#parts;
    if (!this.#homes.has(uuid)) this.#present(dice, uuid, dice.pick(hosts));
    let atMs = 0;
    for (let leg = dice.between(2, 4); leg > 0; leg -= 1) {
      world.after(atMs, () => this.#leg(dice, uuid));
      atMs += dice.pick([0, 100, 2_000, 10_000]) * dice.random();
    }
  }

  #leg(dice: Dice, uuid: Uuid): void {
    const home = this.#homes.get(uuid);
    if (home === undefined) return;
    this.withdraw(dice, uuid, home.host);
    const to = dice.pick(this.#parts.hosts.filter((one) => one !== home.host));
    this.#present(dice, uuid, to, home);
  }

  #retry(dice: Dice, uuid: Uuid, host: string): void {
    const event = this.#meta();
    this.#parts.published.commanded(host, uuid, event);
    this.#send(dice, encodeCommand(PREFIX, { command: 'retry', event, data: { uuid, host } }), 'command');
  }

  /** For a minute at most. */
  #pause(dice: Dice, host: string): void {
    this.#steer(dice, host, 'pause');
    this.#parts.world.after(dice.between(1, 60_000), () => this.#steer(dice, host, 'resume'));
  }

  /** Tells hosts to go on until they do: a command that a stream has lost is not read any more. */
  resumeAll(isPaused: (host: string) => boolean): void {
    const { world, hosts } = this.#parts;
    const paused = hosts.filter(isPaused);
    for (const host of paused) this.#steer(world, host, 'resume');
    if (paused.length > 0) world.after(RESUME_AGAIN_MS, () => this.resumeAll(isPaused));
  }

  /** A parent, or all of the host, for a minute at most. */
  #cordon(dice: Dice, host: string): void {
    const parent = dice.chance(0.7) ? dice.pick(PARENTS) : undefined;
    this.#order(dice, host, 'cordon', parent);
    this.#parts.world.after(dice.between(1, 60_000), () => this.#order(dice, host, 'uncordon', parent));
  }

  /** Ends all cordons of hosts that have any, until they have none. */
  uncordonAll(isCordoned: (host: string) => boolean): void {
    const { world, hosts } = this.#parts;
    const cordoned = hosts.filter(isCordoned);
    for (const host of cordoned) this.#order(world, host, 'uncordon', undefined);
    if (cordoned.length > 0) world.after(RESUME_AGAIN_MS, () => this.uncordonAll(isCordoned));
  }

  #order(dice: Dice, host: string, command: 'cordon' | 'uncordon', parent: string | undefined): void {
    const event = this.#meta();
    this.#parts.published.commanded(host, NO_UUID, event);
    const data = { host, ...(parent === undefined ? {} : { parent }) };
    this.#send(dice, encodeCommand(PREFIX, { command, event, data }), 'command');
  }

  #steer(dice: Dice, host: string, command: 'pause' | 'resume'): void {
    const event = this.#meta();
    this.#parts.published.commanded(host, NO_UUID, event);
    this.#send(dice, encodeCommand(PREFIX, { command, event, data: { host } }), 'command');
  }

  /** Takes the UUID from a host that is believed dead; the act is published first. */
  force(dice: Dice, uuid: Uuid, host: string): void {
    const event = this.#meta();
    const { published, server } = this.#parts;
    published.commanded(host, uuid, event);
    const data = { uuid, host, why: 'believed dead' };
    this.#send(dice, encodeCommand(PREFIX, { command: 'release', event, data }), 'command');
    void server.registry.force(uuid);
  }

  /** Takes the word and all holds from a host that is believed dead. */
  async forget(dice: Dice, host: string, held: readonly Uuid[]): Promise<void> {
    await this.#vacate(dice, host, 'forget');
    for (const uuid of held) await this.#parts.server.registry.force(uuid);
  }

  /** Lets whoever comes next speak for the host. */
  rebind(dice: Dice, host: string): Promise<void> {
    return this.#vacate(dice, host, 'rebind');
  }

  async #vacate(dice: Dice, host: string, command: 'forget' | 'rebind'): Promise<void> {
    const event = this.#meta();
    const { published, server } = this.#parts;
    published.commanded(host, NO_UUID, event);
    const why = 'believed dead';
    this.#send(dice, encodeCommand(PREFIX, { command, event, data: { host, why } }), 'command');
    const as = command === 'forget' ? 'forgotten' : 'open';
    const vacant = { as, by: event.source, why, at: event.time } as const;
    while ((await vacate(server.registry, host, vacant)).kind === 'unknown');
  }

  /** What somebody publishes who does not know better, or lies. */
  #garbage(dice: Dice, uuid: Uuid, host: string): void {
    const { id } = this.#meta();
    const liar = { uuid, host: dice.pick(this.#parts.hosts.filter((one) => one !== host)) };
    const body = dice.pick(['', '{', JSON.stringify({ id }), this.#body(id, ABSENT_TYPE, host, liar)]);
    const stream = dice.pick(['desired', 'command'] as const);
    const subject = `${PREFIX}.${stream}.${host}.${dice.chance(0.8) ? uuid : 'no-uuid'}`;
    this.#send(dice, { subject, id: `garbage ${id}`, data: new TextEncoder().encode(body) }, stream);
  }

  /** From a program that is newer than the agents. */
  #newer(dice: Dice, uuid: Uuid, host: string): void {
    const { id } = this.#meta();
    const type = PRESENT_TYPE.replace(/v1$/, 'v9');
    const data = new TextEncoder().encode(this.#body(id, type, host, { uuid, host }));
    this.#send(dice, { subject: `${PREFIX}.desired.${host}.${uuid}`, id: `sim ${id}`, data }, 'desired');
  }

  #body(id: string, type: string, host: string, data: { uuid: Uuid; host: string }): string {
    const time = this.#parts.world.wall();
    return JSON.stringify({
      specversion: '1.0',
      id,
      source: 'sim',
      type,
      time,
      subject: `${host}/${data.uuid}`,
      data,
    });
  }

  #publish(dice: Dice, declaration: Declaration): void {
    this.#parts.published.declared(declaration);
    const event = encodeDeclaration(PREFIX, declaration);
    this.#send(dice, event, 'desired');
    const { world } = this.#parts;
    if (!dice.chance(0.1)) return;
    const lateMs = (dice.chance(0.5) ? LATE_RETRY_MS_MAX : 10_000) * dice.random();
    world.after(lateMs, () => this.#send(dice, event, 'desired'));
  }

  #send(dice: Dice, event: Encoded, to: Exclude<StreamName, 'observed'>): void {
    const { world, server } = this.#parts;
    if (!server.up) return void world.after(PUBLISH_RETRY_MS, () => this.#send(dice, event, to));
    world.note('operator', `publishes ${event.subject} ${new TextDecoder().decode(event.data)}`);
    void server[to].append(event);
  }

  #meta(): EventMeta {
    this.#events += 1;
    return { id: `event-${this.#events}`, source: 'sim', time: this.#parts.world.wall() };
  }
}
