/**
 * `npm run soak -- --minutes 10 --agents 50 --devices 5000`: see soak.ts. Prints what was killed, and how long all took
 * to settle after the last fault.
 */
import { parseArgs } from 'node:util';
import { soak } from './soak.ts';

const MINUTE_MS = 60_000;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    agents: { type: 'string', default: '10' },
    processes: { type: 'string', default: '5' },
    devices: { type: 'string', default: '200' },
  },
});
const result = await soak({
  agents: Number(values.agents),
  processes: Number(values.processes),
  devices: Number(values.devices),
  faultsMs: Number(values.minutes) * MINUTE_MS,
});
console.log(result);
