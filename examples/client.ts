/**
 * Declares a device, and tells what its host does about it until it is there:
 *
 *     node examples/client.ts nats://127.0.0.1:4222 host-a
 *
 * In a checkout, where there is no built client: node --conditions @mdevfleet/source examples/client.ts …
 */
import { connect } from 'mdevfleet/client';

const [server = 'nats://127.0.0.1:4222', host = 'host-a'] = process.argv.slice(2);
const device = { uuid: '0b9a2f5e-6c1d-4f3a-8e7b-5d4c3b2a1908', host, parent: 'mtty', type: 'mtty-2' };

const fleet = await connect({ servers: [server] });
const answer = await fleet.publish({ desired: 'present', data: device });
if (answer.kind !== 'stored') throw new Error(`not declared: ${answer.kind}`);
for await (const { time, fact, rows } of fleet.watch({ host, uuid: device.uuid })) {
  const [row] = rows ?? [];
  console.log(time, fact?.kind, row?.state, row?.message ?? '');
  if (row?.state === 'ready' && row.generation?.sequence === answer.sequence) break;
}
await fleet.close();
