/**
 * What an agent finds around it: its rights, the programs that it calls, the clock, and versions of everything.
 */
import type { Check } from './examine.ts';
import { type Found, fault, note, ok, warning } from './finding.ts';
import { releaseOf } from './kernel.ts';
import type { Machine } from './machine.ts';

/** What this process is made of. */
export type Versions = { readonly program: string; readonly node: string; readonly lmdb: string };

/** What an agent does without, or does not. */
const PROGRAMS = [
  {
    name: 'flock',
    isNeeded: true,
    means: 'the agent cannot lock its journal, and does not start',
    cure: '`apt-get install util-linux`',
  },
  {
    name: 'udevadm',
    isNeeded: false,
    means: 'changes are found by polling, within a second, and not at once',
    cure: '`apt-get install udev`; no udevd has to run',
  },
] as const;

export function surroundingChecks(machine: Machine, versions: Versions): readonly Check[] {
  return [
    { name: 'rights', look: async () => [await rightsFound(machine)] },
    { name: 'programs', look: () => programsFound(machine) },
    { name: 'clock', look: async () => [await clockFound(machine)] },
    { name: 'versions', look: async () => [await versionsFound(machine, versions)] },
  ];
}

/** Root owns what is written to; capabilities say what else it may do. */
async function rightsFound(machine: Machine): Promise<Found> {
  if (machine.uid !== 0)
    return note(
      `runs as user ${machine.uid}`,
      'an agent runs as root; what is said here of files is true of this user',
      '`sudo mdevfleet doctor`',
    );
  const status = (await machine.text('/proc/self/status')) ?? '';
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const lacking = Object.entries(USEFUL).filter(([, bit]) => ((effective >> BigInt(bit)) & 1n) === 0n);
  if (lacking.length === 0) return ok('runs as root');
  return note(
    `runs as root without ${lacking.map(([name]) => name).join(' and ')}`,
    'who uses a device cannot always be named; that it is in use is seen all the same',
  );
}

/** Capabilities that are good for naming the users of a device, and their bits. */
const USEFUL = { CAP_DAC_READ_SEARCH: 2, CAP_SYS_PTRACE: 19 } as const;

async function programsFound(machine: Machine): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const { name, isNeeded, means, cure } of PROGRAMS) {
    const file = await machine.program(name);
    if (file !== null) continue;
    const what = `${name} is not installed`;
    found.push(isNeeded ? fault(what, means, cure) : warning(what, means, cure));
  }
  return found.length > 0 ? found : [ok(PROGRAMS.map(({ name }) => name).join(' and '))];
}

/** timedatectl tells what the kernel says, whoever keeps the time. */
async function clockFound(machine: Machine): Promise<Found> {
  const ran = await machine.run('timedatectl', ['show', '--property=NTPSynchronized', '--value']);
  const said = ran?.stdout.trim();
  if (said === 'yes') return ok('synchronised');
  if (said === 'no')
    return warning(
      'not synchronised',
      'records of hosts cannot be put in order of time; nothing else goes by the clock',
      '`timedatectl set-ntp true`, or install chrony',
    );
  return note(
    'whether it is synchronised is not known: timedatectl does not tell',
    'the time on records is as good as the clock',
  );
}

async function versionsFound(machine: Machine, { program, node, lmdb }: Versions): Promise<Found> {
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec((await machine.text('/etc/os-release')) ?? '')?.[1];
  const kernel = `Linux ${await releaseOf(machine)}`;
  const parts = [`mdevfleet ${program}`, `Node ${node}`, `lmdb ${lmdb}`, kernel, system ?? 'unknown system'];
  return ok(parts.join(', '));
}
