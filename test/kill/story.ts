/**
 * The scenario: everything that an agent can do is done, in an order in which each step needs the one before,
 * whoever dies in between.
 */
import { readFleet, reopen } from '../../store/registry/fleet.ts';
import { forceRelease } from '../../store/registry/force.ts';
import { confirmedBy } from '../../store/registry/incarnation.ts';
import { readHold } from '../../store/registry/standing.ts';
import {
  ATTRIBUTED,
  DECLARED,
  DRIFTING,
  DUPLICATE,
  FENCED,
  FOREIGN,
  FOREIGN_PLACE,
  HOST,
  LATE_COMER,
  LOST,
  MEDDLING,
  PAUSED,
  REFUSED,
  REPLACED,
  REPLACEMENT,
  UNREADABLE,
  WAITING,
  WITHDRAWN,
} from './cast.ts';
import type { Point } from './points.ts';
import type { Stage } from './stage.ts';

const EIO = 5;

export class Story {
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async play(point: Point | null): Promise<void> {
    await this.#prepare();
    this.#stage.keeper.start(point);
    await this.#devicesAppear();
    await this.#thingsHappen();
    await this.#calmReturns();
    await this.#somebodyMeddles();
    await this.#theHostIsPaused();
    await this.#theHostIsCalled();
    await this.#aHoldIsTakenByForce();
    await this.#theRegistryForgets();
    await this.#end();
  }

  /** What is there before the agent: somebody's device, another host's hold, and declarations. */
  async #prepare(): Promise<void> {
    await this.#stage.kernel.kernel.create(FOREIGN, FOREIGN_PLACE);
    await this.#stage.takeAsRival(DUPLICATE);
    for (const data of DECLARED) await this.#stage.declarePresent(data);
  }

  async #devicesAppear(): Promise<void> {
    const { witness } = this.#stage;
    for (const uuid of [ATTRIBUTED, DRIFTING, WITHDRAWN, REPLACED, UNREADABLE, FENCED, LOST])
      await witness.untilState(HOST, uuid, 'ready');
    // What was told before that is not heard.
    await this.#stage.untilRecorded(
      'the epoch of commands',
      (one) => one.kind === 'epoch' && one.stream === 'command',
    );
    await witness.untilState(HOST, DUPLICATE, 'conflict');
    await witness.untilState(HOST, REFUSED, 'failed');
    await witness.untilState(HOST, WAITING, 'waiting', { reason: 'ParentAbsent' });
    await witness.untilFact(HOST, 'unmanaged', { uuid: FOREIGN });
  }

  async #thingsHappen(): Promise<void> {
    const { witness, kernel } = this.#stage;
    kernel.kernel.readErrno = (uuid) => (uuid === UNREADABLE ? EIO : null);
    await kernel.kernel.remove(DRIFTING);
    await kernel.kernel.plug('late');
    await this.#stage.withdraw(WITHDRAWN);
    await this.#stage.declarePresent(REPLACEMENT);
    await this.#stage.repeatTheFirst();
    await this.#stage.publishJunk();
    await this.#stage.publishUnknown();
    await this.#stage.retry(UNREADABLE);
    await witness.untilFact(HOST, 'drift', { uuid: DRIFTING });
    await witness.untilFact(HOST, 'gone', { uuid: WITHDRAWN });
    await witness.untilState(HOST, REPLACED, 'ready', { type: REPLACEMENT.type });
    await witness.untilState(HOST, UNREADABLE, 'waiting', { reason: 'HostUnreadable' });
    for (const uuid of [DRIFTING, WAITING]) await witness.untilState(HOST, uuid, 'ready');
    for (const kind of ['rejected', 'unsupported'] as const) await witness.untilFact(HOST, kind);
  }

  async #calmReturns(): Promise<void> {
    this.#stage.kernel.kernel.readErrno = () => null;
    await this.#stage.witness.untilState(HOST, UNREADABLE, 'ready');
  }

  /** What is changed on a device sends no uevent; a command makes the agent look. */
  async #somebodyMeddles(): Promise<void> {
    await this.#stage.kernel.kernel.setAttribute(ATTRIBUTED, MEDDLING);
    await this.#stage.retry(ATTRIBUTED);
    await this.#stage.witness.untilFact(HOST, 'drift', { uuid: ATTRIBUTED });
    await this.#stage.witness.untilState(HOST, ATTRIBUTED, 'ready');
  }

  /** And before it goes on, the parent is cordoned. */
  async #theHostIsPaused(): Promise<void> {
    await this.#stage.steer('pause');
    await this.#stage.witness.untilFact(HOST, 'steered');
    await this.#stage.declarePresent(LATE_COMER);
    await this.#stage.witness.untilState(HOST, PAUSED, 'waiting', { reason: 'Paused' });
    await this.#stage.cordon('cordon', LATE_COMER.parent);
    await this.#stage.witness.untilFact(HOST, 'cordoned');
    await this.#stage.steer('resume');
    await this.#stage.witness.untilState(HOST, PAUSED, 'waiting', { reason: 'Cordoned' });
    await this.#stage.cordon('uncordon', LATE_COMER.parent);
    await this.#stage.witness.untilState(HOST, PAUSED, 'ready');
  }

  /** And signs what it has recorded. */
  async #theHostIsCalled(): Promise<void> {
    await this.#stage.steer('call');
    await this.#stage.witness.untilFact(HOST, 'told');
    await this.#stage.witness.untilFact(HOST, 'checkpoint');
  }

  /** The host hears of it when it reads its holds back; what is left of the device goes when it is withdrawn. */
  async #aHoldIsTakenByForce(): Promise<void> {
    const { fleet, witness } = this.#stage;
    const held = await readHold(fleet.registry, FENCED);
    if (held === undefined) throw new Error('nobody holds what is to be released by force');
    const forced = await forceRelease(fleet.registry, FENCED, held);
    if (forced.kind !== 'fenced') throw new Error(`releasing by force: ${forced.kind}`);
    await this.#stage.takeAsRival(FENCED);
    await witness.untilFact(HOST, 'fenced', { uuid: FENCED });
    await witness.untilState(HOST, FENCED, 'failed', { reason: 'Fenced' });
    await this.#stage.withdraw(FENCED);
    await witness.untilFact(HOST, 'gone', { uuid: FENCED });
  }

  /** First who speaks for the host; and a hold, once the fleet knows that a missing one is lost and not given back. */
  async #theRegistryForgets(): Promise<void> {
    const { witness } = this.#stage;
    const { registry } = this.#stage.fleet;
    await this.#stage.erase(`host.${HOST}`);
    const { revision } = await witness.until('the registry to be rebuilding', async () => {
      const fleet = await readFleet(registry);
      return fleet.kind === 'fleet' && fleet.state === 'rebuilding' ? fleet : undefined;
    });
    await this.#stage.erase(LOST);
    await witness.untilFact(HOST, 'reasserted', { uuid: LOST });
    await witness.until('the host to confirm its holds', async () =>
      (await confirmedBy(registry, HOST)) === revision ? true : undefined,
    );
    const { source: by, time: at } = this.#stage.event();
    await reopen(registry, { by, what: 'all is there', at }, revision);
    await this.#stage.untilRecorded(
      'the open registry',
      (one) => one.kind === 'registry' && one.state === 'open',
    );
  }

  /** The agent is told to stop; should it be killed over that, its successor is. */
  async #end(): Promise<void> {
    while (!this.#stage.keeper.stopped) {
      const { length } = this.#stage.witnessed;
      if (length > 0) await this.#stage.witness.untilFact(HOST, 'incarnated', { since: length });
      await this.#stage.keeper.stop();
    }
  }
}
