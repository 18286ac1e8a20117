/** A process of its own that contends in the race: opens the environment, waits for the start, prints its answers. */
import { once } from 'node:events';
import { openEmbedded } from '../../../events/embedded/embedded.ts';
import { openLmdbRegistry } from '../../../store/registry/registry-lmdb.ts';
import { contend } from './reserve-race.ts';

const [dir = '', client = ''] = process.argv.slice(2);
const embedded = await openEmbedded(dir, {
  after: () => () => undefined,
  now: () => '2026-01-01T00:00:00.000Z',
});
const registry = openLmdbRegistry(embedded);
process.stdout.write('ready\n');
await once(process.stdin.resume(), 'end');
process.stdout.write(`${JSON.stringify(await contend(registry, Number(client)))}\n`);
await embedded.close();
