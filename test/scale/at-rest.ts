/**
 * `npm run at-rest -- --devices 1000 --seconds 300`: what an agent takes that has nothing to do, on a real kernel in an
 * emulated machine. Memory and bytes are what they are anywhere; processor time is an emulated processor's, which is
 * compared with this one by a piece of work.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { natsServer } from '../../tools/nats-server.ts';
import { bootGuest } from '../kernel/guest.ts';
import type { AtRest } from './at-rest-guest.ts';
import { work as workMs } from './slowness.ts';

const PROGRAM = join(import.meta.dirname, 'at-rest-guest.ts');
/** For the devices to be made, and the machine to boot. */
const BEFORE_SECONDS_MAX = 1_500;

const { values } = parseArgs({
  options: { devices: { type: 'string', default: '1000' }, seconds: { type: 'string', default: '300' } },
});
const work = mkdtempSync(join(tmpdir(), 'mdevfleet-at-rest-'));
const nats = (await natsServer('newest')).path;
const deadlineSeconds = BEFORE_SECONDS_MAX + Number(values.seconds);
const { programs, ended } = await bootGuest({
  work,
  disk: true,
  shares: [dirname(nats)],
  deadlineMs: (deadlineSeconds + 60) * 1_000,
  programs: [
    {
      name: 'at-rest',
      argv: ['node', PROGRAM, values.devices, values.seconds],
      env: { NATS_SERVER: nats },
      deadlineSeconds,
    },
  ],
});
const [program] = programs;
const line = program?.output.find((one) => one.startsWith('{'));
if (program?.status !== 0 || line === undefined) {
  throw new Error(
    `nothing was measured; the machine has ${ended}: ${program?.errors}; the logs are in ${work}`,
  );
}
rmSync(work, { recursive: true });
show(JSON.parse(line) as AtRest);

function show(found: AtRest): void {
  const slowness = found.workMs / workMs();
  console.log(`${values.devices} devices, nothing to do for ${values.seconds} s`);
  console.log(
    `memory: ${found.ownMiB.toFixed(0)} MiB of its own, ${found.residentMiB.toFixed(0)} MiB resident`,
  );
  console.log(`processes: ${found.processes}`);
  console.log(`written to the disk: ${found.writtenBytes} bytes`);
  console.log(`read and written by calls: ${found.callBytes} bytes`);
  console.log(`processor: ${found.cpuS.toFixed(1)} s emulated, ${slowness.toFixed(1)} times as slow as here`);
}
