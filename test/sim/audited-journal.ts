/**
 * A journal that is held to its word: what an agent is told is durable must be on the disk.
 */
import type { Fact } from '../../events/fact.ts';
import type { Journal } from '../../store/journal/journal.ts';
import type { MemoryDisk } from '../../store/journal/journal-memory.ts';
import { type Life, mortalCall } from './mortal.ts';
import { overriding } from './overriding.ts';
import type { World } from './world.ts';

const DECODER = new TextDecoder();
/** Among so many last records a fact is looked for that was just reported. */
const RECENT_RECORDS = 64;

type Owner = { readonly world: World; readonly name: string; readonly disk: MemoryDisk };

/** The journal of an agent; a lie is a violation. */
export function auditedJournal({ world, name, disk }: Owner, journal: Journal, life: Life): Journal {
  return overriding(journal, {
    append: async (append) => {
      const result = await mortalCall(life, () => journal.append(append));
      const lost = result.kind === 'durable' && append.facts.find((fact) => !isOn(disk, fact));
      if (lost)
        world.violation(`${name} was told that a fact is durable, but it is not: ${JSON.stringify(lost)}`);
      return result;
    },
  });
}

function isOn(disk: MemoryDisk, fact: Fact): boolean {
  const text = JSON.stringify(fact).slice(1, -1);
  const { seq } = disk.projections().tail;
  const recent = disk.read(Math.max(0, seq - RECENT_RECORDS), RECENT_RECORDS);
  return recent.findLast(({ bytes }) => DECODER.decode(bytes).includes(text)) !== undefined;
}
