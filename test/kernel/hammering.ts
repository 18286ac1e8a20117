/**
 * What the hammer is made of, inside a guest: an agent, the other program beside it, and the rounds of a UUID.
 */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { subjectFilter } from '../../events/subject.ts';
import { GuestAgent, GuestFleet, PREFIX } from './agents.ts';
import type { Orders, Report, Spot } from './intruder.ts';
import { underParent, until } from './mdev.ts';
import { Reports } from './reports.ts';

const INTRUDER = join(import.meta.dirname, 'intruder.ts');

type Intruder = { readonly process: ChildProcessWithoutNullStreams; readonly said: Promise<string> };

export class Hammer {
  readonly host: string;
  readonly fleet: GuestFleet;
  readonly agent: GuestAgent;
  readonly reports: Reports;
  readonly #orders: Orders;
  #intruder: Intruder | undefined;

  private constructor(host: string, data: string, fleet: GuestFleet, orders: Orders) {
    this.host = host;
    this.fleet = fleet;
    this.agent = new GuestAgent(host, data, fleet.server.url);
    this.reports = new Reports(fleet.streams.observed, subjectFilter(PREFIX, 'observed', { host }));
    this.#orders = orders;
  }

  static async start(host: string, data: string, orders: Orders): Promise<Hammer> {
    return new Hammer(host, data, await GuestFleet.start(), orders);
  }

  /** Starts the other program. It takes all the time that nobody else wants, and no more. */
  strike(): void {
    const child = spawn(process.execPath, [INTRUDER, JSON.stringify(this.#orders)]);
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    child.stderr.pipe(process.stderr);
    this.#intruder = { process: child, said: text(child.stdout) };
  }

  /** One UUID, declared until it is ready, and withdrawn until it is gone and given back. */
  async round(spot: Spot): Promise<void> {
    await this.declare(spot);
    await this.fleet.absent(spot.uuid, this.host);
    await this.reports.until('being gone', spot.uuid, (rows) =>
      rows.every(({ state }) => state === 'unmanaged'),
    );
    assert.equal((await this.fleet.registry.read(spot.uuid))?.value, null, `${spot.uuid} is given back`);
  }

  /** Declares it until it is ready, and has it tried again each time that it met a device of somebody else. */
  async declare(spot: Spot): Promise<void> {
    const { uuid, parent, type } = spot;
    const sequence = await this.fleet.present(uuid, { host: this.host, parent, type });
    for (;;) {
      const [row] = await this.reports.until('the end', uuid, ([one]) => {
        return one?.generation?.sequence === sequence && one.state !== 'waiting' && one.state !== 'releasing';
      });
      if (row?.state === 'ready') return;
      assert.deepEqual([row?.state, row?.reason], ['conflict', 'ForeignDevice'], row?.message ?? '');
      await until(`the device in the way of ${uuid} to go`, () => !this.#isElsewhere(spot));
      const tried = this.reports.until('being tried again', uuid, ([one]) => one?.state !== 'conflict');
      await this.fleet.retry(uuid, this.host);
      await tried;
    }
  }

  #isElsewhere({ uuid, parent }: Spot): boolean {
    return this.#orders.parents.some((other) => other !== parent && underParent(other, uuid));
  }

  /** Ends the other program, which takes away what it finds of UUIDs that are not its own; answers what it did. */
  async calm(): Promise<Report> {
    assert.ok(this.#intruder !== undefined);
    this.#intruder.process.stdin.end();
    return JSON.parse(await this.#intruder.said) as Report;
  }

  /** Answers the exit status of the agent. */
  async stop(): Promise<number | null> {
    const status = await this.agent.stop();
    await this.reports.stop();
    await this.fleet.stop();
    return status;
  }
}
