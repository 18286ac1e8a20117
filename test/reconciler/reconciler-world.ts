/**
 * The loop on one host of pass-world.ts, and what it told of itself.
 */
import type { Uuid } from '../../events/names.ts';
import { Reconciler } from '../../reconciler/reconciler.ts';
import { type Declared, UUID, type World } from './pass-world.ts';

/** The loop on a world, and what it told of itself. */
export class Loop {
  readonly world: World;
  readonly reconciler: Reconciler;
  readonly ended: string[] = [];
  readonly failed: unknown[] = [];
  readonly foundByResync: Uuid[] = [];
  /** True while no change of the host is heard of. */
  deaf = false;
  /** How long after it a change of the host is heard of. */
  lateMs = 0;

  constructor(world: World) {
    this.world = world;
    const { host } = world.acting;
    const onChange = host.onChange.bind(host);
    host.onChange = (listener) => onChange((change) => this.#heard(() => listener(change)));
    this.reconciler = new Reconciler({
      ...world.acting,
      self: { kernel: 'test', labels: {} },
      clock: world.clock,
      random: () => 0.5,
      limits: world.limits,
      events: {
        passEnded: (uuid, end) => this.ended.push(`${uuid} ${end.kind}`),
        passFailed: (_uuid, error) => this.failed.push(error),
        foundByResync: (uuid) => this.foundByResync.push(uuid),
        surveyed: () => undefined,
        surveyFailed: (error) => this.failed.push(error),
      },
    });
  }

  async start(): Promise<void> {
    this.reconciler.start();
    await this.world.clock.advance(0);
  }

  #heard(tell: () => void): void {
    if (this.deaf) return;
    if (this.lateMs === 0) tell();
    else this.world.clock.after(this.lateMs, tell);
  }

  /** Passes that ended for the UUID. */
  passes(uuid: Uuid = UUID): number {
    return this.ended.filter((one) => one.startsWith(uuid)).length;
  }

  async declare(uuid: Uuid = UUID, declared: Declared = {}): Promise<void> {
    await this.world.declare(uuid, declared);
    this.reconciler.trigger(uuid, 'declaration');
  }

  async withdraw(uuid: Uuid = UUID): Promise<void> {
    await this.world.withdraw(uuid);
    this.reconciler.trigger(uuid, 'declaration');
  }
}
