/**
 * What is planned for a UUID now: everything is read afresh, then the plan is made of it.
 */
import type { Uuid } from '../events/names.ts';
import { cordonOn } from '../store/cordons.ts';
import type { Device } from '../store/device.ts';
import type { Acting } from './acting.ts';
import { underDispute, underPause } from './pause.ts';
import { type Known, lookFor, plan } from './plan.ts';
import type { Plan } from './step.ts';

/** `device` is what was planned on. */
export type Planned = { readonly device: Device; readonly next: Plan };

export async function plannedNow(acting: Acting, uuid: Uuid): Promise<Planned> {
  const device = acting.journal.device(uuid);
  const observed = await acting.host.observe(uuid, lookFor(device));
  const undisputed = underDispute(plan(known(acting, device), observed), acting.dispute(uuid));
  return { device, next: underPause(undisputed, acting.journal.positions().paused) };
}

function known({ memory, journal }: Acting, device: Device): Known {
  const { desired, reservation, terminal, fence, uuid } = device;
  return {
    desired,
    reservation,
    terminal,
    fence,
    rebooted: memory.rebooted(uuid),
    rewritten: memory.rewritten(uuid),
    cordon: desired?.kind === 'present' ? cordonOn(journal.positions().cordons, desired.claim.parent) : null,
  };
}
