/**
 * Where an agent keeps what it knows: the folder and its file system, the journal, and files that nobody else may read.
 *
 * A journal is looked at as an agent does before it opens one, in a process of its own. Nobody's lock is tried, since
 * trying would take it: the kernel's list of locks says whether somebody has it.
 */
import { type HostId, hostId } from '../../events/names.ts';
import { journalFolder, journalsFolder } from '../config.ts';
import { variableOf } from '../options.ts';
import type { Check } from './examine.ts';
import { type Found, fault, note, ok, warning } from './finding.ts';
import type { Entry, Machine } from './machine.ts';

const MIB = 1024 * 1024;
/** With less, nothing can be recorded before long. */
const FREE_BYTES_FAULT = 64 * MIB;
/** With less, or less than the journal takes, it cannot be archived. */
const FREE_BYTES_WARNING = 512 * MIB;

/** Magic numbers of file systems, as in linux/magic.h. */
const UNFIT: ReadonlyMap<number, string> = new Map([
  [0x01021997, '9p'],
  [0x6969, 'NFS'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB'],
  [0x65735546, 'FUSE'],
]);
const PASSING: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
]);

export type StateOptions = {
  readonly data: string | null;
  readonly host: HostId | null;
  /** Files with secrets, by what they are. */
  readonly secrets: Readonly<Record<string, string | undefined>>;
};

export function stateChecks(machine: Machine, options: StateOptions): readonly Check[] {
  const { data, host, secrets } = options;
  const state: readonly Check[] =
    data === null
      ? [{ name: 'state', look: async () => [noFolder()] }]
      : [
          { name: 'state', look: () => folderFound(machine, data) },
          { name: 'journal', look: () => journalsFound(machine, data, host) },
        ];
  return [...state, { name: 'secrets', look: () => secretsFound(machine, secrets) }];
}

function noFolder(): Found {
  return note(
    'no folder is named',
    'where an agent would keep its journal was not looked at',
    `give --data DIR, or set ${variableOf('data')}`,
  );
}

async function folderFound(machine: Machine, data: string): Promise<readonly Found[]> {
  const there = await nearest(machine, data);
  if (there.entry.kind !== 'folder')
    return [
      fault(`${there.path} is no folder`, 'an agent cannot keep a journal there', 'name another with --data'),
    ];
  const found: Found[] = [];
  if (there.path !== data) found.push(note(`${data} is not there`, 'an agent makes it when it starts'));
  if (!(await machine.mayWrite(there.path)))
    found.push(
      fault(
        `${there.path} cannot be written`,
        'an agent cannot record anything, so it does nothing',
        machine.uid === 0 ? `\`mount -o remount,rw\` what ${there.path} is on` : '`sudo mdevfleet doctor`',
      ),
    );
  const room = await machine.room(there.path);
  if (room !== null) found.push(...fileSystemFound(there.path, room.fileSystem));
  if (room !== null) found.push(...roomFound(there.path, room.freeBytes, await largest(machine, data)));
  return found.length > 0 ? found : [ok(`${data}, ${mib(room?.freeBytes ?? 0)} free`)];
}

/** The path, or the folder above it that is there. */
async function nearest(machine: Machine, path: string): Promise<{ path: string; entry: Entry }> {
  const entry = await machine.entry(path);
  if (entry !== null) return { path, entry };
  const above = path.slice(0, Math.max(1, path.lastIndexOf('/')));
  if (above === path || !path.includes('/')) throw new Error(`there is no ${path}`);
  return nearest(machine, above);
}

function fileSystemFound(path: string, type: number): readonly Found[] {
  const unfit = UNFIT.get(type);
  if (unfit !== undefined)
    return [
      fault(
        `${path} is on ${unfit}`,
        'the journal is mapped into memory (LMDB), which needs a file system of this machine',
        'name a folder on ext4, xfs, btrfs or zfs with --data',
      ),
    ];
  const passing = PASSING.get(type);
  if (passing === undefined) return [];
  return [
    warning(
      `${path} is on ${passing}`,
      'the journal is gone with the next boot or the next container',
      'name a folder on a disk, or a volume, with --data',
    ),
  ];
}

function roomFound(path: string, freeBytes: number, largestBytes: number): readonly Found[] {
  const means = 'a full disk stops new work on the host; devices stay as they are';
  const cure = 'make room there; `mdevfleet journal archive` packs old records';
  if (freeBytes < FREE_BYTES_FAULT) return [fault(`${mib(freeBytes)} free in ${path}`, means, cure)];
  if (freeBytes >= Math.max(FREE_BYTES_WARNING, largestBytes)) return [];
  const what = `${mib(freeBytes)} free in ${path}, and the journal takes ${mib(largestBytes)}`;
  return [warning(what, `to archive it takes as much again; ${means}`, cure)];
}

/** Of the journals that are there, the size of the largest. */
async function largest(machine: Machine, data: string): Promise<number> {
  const hosts = await hostsIn(machine, data);
  const files = await Promise.all(hosts.map((host) => machine.entry(dataFileOf(data, host))));
  return Math.max(0, ...files.map((file) => file?.bytes ?? 0));
}

async function hostsIn(machine: Machine, data: string): Promise<readonly HostId[]> {
  const names = (await machine.names(journalsFolder(data))) ?? [];
  return names.filter((name) => hostId.safeParse(name).success).sort();
}

function dataFileOf(data: string, host: string): string {
  return `${journalFolder(data, host)}/data.mdb`;
}

function mib(bytes: number): string {
  return `${Math.round(bytes / MIB)} MiB`;
}

async function journalsFound(machine: Machine, data: string, host: HostId | null): Promise<readonly Found[]> {
  const hosts = host === null ? await hostsIn(machine, data) : [host];
  if (hosts.length === 0) return [ok('there is none yet')];
  const found: Found[] = [];
  for (const one of hosts) found.push(await journalFound(machine, data, one));
  return found;
}

async function journalFound(machine: Machine, data: string, host: string): Promise<Found> {
  const dir = journalFolder(data, host);
  const seen = await machine.journal(dir);
  if (seen.kind === 'absent') return ok(`host ${host} has none yet`);
  if (seen.kind === 'damaged')
    return fault(
      `of host ${host}: ${seen.reason}`,
      'an agent does not start on it',
      `\`mdevfleet verify --host ${host} --data ${data}\` says more; then put a copy back, or \`mdevfleet rebuild\``,
    );
  const bytes = (await machine.entry(dataFileOf(data, host)))?.bytes ?? 0;
  return ok(`of host ${host}: ${seen.tail.seq} records, ${mib(bytes)}, ${await usedBy(machine, dir)}`);
}

/** flock(2) locks show in /proc/locks with the inode of their file. */
async function usedBy(machine: Machine, dir: string): Promise<string> {
  const lock = await machine.entry(`${dir}/agent.lock`);
  const locks = (await machine.text('/proc/locks')) ?? '';
  const isHeld =
    lock !== null &&
    locks.split('\n').some((line) => line.includes(' FLOCK ') && line.includes(`:${lock.inode} `));
  if (!isHeld) return 'in use by nobody';
  const pid = /"pid":(\d+)/.exec((await machine.text(`${dir}/agent.lock`)) ?? '')?.[1];
  return `in use by process ${pid ?? 'unknown'}`;
}

async function secretsFound(machine: Machine, secrets: StateOptions['secrets']): Promise<readonly Found[]> {
  const found: Found[] = [];
  const given = Object.entries(secrets).flatMap(([name, file]) =>
    file === undefined ? [] : [{ name, file }],
  );
  for (const { name, file } of given) {
    const entry = await machine.entry(file);
    if (entry === null)
      found.push(
        fault(`${file} (${name}) is not there`, 'the server cannot be told who this is', 'correct the path'),
      );
    else if ((entry.mode & 0o077) !== 0)
      found.push(
        warning(
          `${file} (${name}) can be read by others than its owner`,
          'who reads it can declare devices as this host or operator',
          `\`chmod 600 ${file}\``,
        ),
      );
  }
  return found.length > 0
    ? found
    : [ok(given.length === 0 ? 'none are used' : 'only their owner can read them')];
}
