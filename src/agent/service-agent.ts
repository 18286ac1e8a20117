/**
 * An agent, as the service manager is told of it.
 */
import { systemClock } from '../../reconciler/clock-system.ts';
import type { Journal } from '../../store/journal/journal.ts';
import type { AgentConfig } from '../config.ts';
import type { Logger } from '../logger.ts';
import { countDevices, type DeviceCounts } from '../telemetry/device-counts.ts';
import type { Agent } from './agent.ts';
import { serviceManager } from './service.ts';
import { type Living, ServiceLife } from './service-life.ts';
import { standstillMsMax } from './standstill.ts';

/** Begins to tell the service manager that started this process; null if none did, or it does not want to know. */
export function serviceLife({ limits }: AgentConfig, log: Logger): ServiceLife | null {
  const warn = (fields: object, message: string): void => log.warn(fields, message);
  const manager = serviceManager({ env: process.env, pid: process.pid, clock: systemClock, warn });
  if (manager === null) return null;
  const { readyMsMax } = limits;
  const own = { readyMsMax, standstillMsMax: standstillMsMax(limits) };
  return new ServiceLife({ manager, clock: systemClock, log, limits: own });
}

export function living(agent: Agent, journal: Journal): Living {
  return {
    restored: agent.restored,
    get unrestored() {
      return agent.status.unrestored;
    },
    get standstillMs() {
      return agent.status.standstillMs;
    },
    get summary() {
      return summaryOf(countDevices(journal.devices()), agent.status.reached);
    },
  };
}

/** Such as `12 devices: 11 ready, 1 waiting; fleet not reached`. States that no device is in are left out. */
export function summaryOf({ states }: DeviceCounts, isReached: boolean): string {
  const counts = [...states].filter(([, count]) => count > 0);
  const all = counts.reduce((sum, [, count]) => sum + count, 0);
  const each = counts.map(([state, count]) => `${count} ${state}`).join(', ');
  const devices = `${all} ${all === 1 ? 'device' : 'devices'}${each === '' ? '' : `: ${each}`}`;
  return `${devices}; fleet ${isReached ? 'reached' : 'not reached'}`;
}
