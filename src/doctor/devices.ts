/**
 * What devices are made of: sysfs, its parents, and whether this process could make a device there.
 *
 * `create` is opened and closed, and never written to. No file is read behind which a driver's code runs.
 */
import { explainErrno } from '../../reconciler/errno.ts';
import type { Check } from './examine.ts';
import { type Found, fault, note, ok, warning } from './finding.ts';
import type { Machine } from './machine.ts';

/** Most parents whose `create` is tried. */
const PARENTS_TRIED_MAX = 32;

export function deviceChecks(machine: Machine, sysfs: string): readonly Check[] {
  return [
    { name: 'sysfs', look: () => sysfsFound(machine, sysfs) },
    { name: 'parents', look: () => parentsFound(machine, sysfs) },
    { name: 'create', look: () => createFound(machine, sysfs) },
    { name: 'vfio', look: () => vfioFound(machine) },
  ];
}

async function sysfsFound(machine: Machine, sysfs: string): Promise<readonly Found[]> {
  if ((await machine.entry(`${sysfs}/bus`)) === null || (await machine.entry(`${sysfs}/class`)) === null)
    return [
      fault(
        `${sysfs} is not a sysfs`,
        'nothing can be seen nor made',
        '`mount -t sysfs sysfs /sys`, or name with --sysfs where it is mounted',
      ),
    ];
  const mounted = mountedAt((await machine.text('/proc/self/mountinfo')) ?? '', sysfs);
  if (mounted?.split(',').includes('ro'))
    return [
      fault(
        `${sysfs} is mounted read-only`,
        'no device can be made or removed',
        `\`mount -o remount,rw ${sysfs}\`; in a container \`--volume /sys:/sys:rw\``,
      ),
    ];
  return [ok(`${sysfs} is mounted${mounted === null ? '' : ' read-write'}`)];
}

/** The options of the last mount there, as /proc/self/mountinfo tells them; null when nothing is mounted there. */
function mountedAt(mountinfo: string, folder: string): string | null {
  const line = mountinfo.split('\n').findLast((one) => one.split(' ')[4] === folder);
  return line?.split(' ')[5] ?? null;
}

async function parentsFound(machine: Machine, sysfs: string): Promise<readonly Found[]> {
  const own = await machine.names(`${sysfs}/class/mdev_bus`);
  const other = await otherVgpus(machine, sysfs);
  const found: Found[] = other.length === 0 ? [] : [withoutBus(other)];
  const parents = [...(own ?? [])].sort();
  for (const parent of parents) {
    const types = (await machine.names(`${sysfs}/class/mdev_bus/${parent}/mdev_supported_types`)) ?? [];
    found.push(parentFound(parent, [...types].sort()));
  }
  return found.length > 0 ? found : [noParents()];
}

function noParents(): Found {
  return warning(
    'there is none',
    'devices wait, ParentAbsent, until a driver registers one',
    "load the card's driver (`modprobe`), set up its virtual functions or MIG mode, and see the kernel's log",
  );
}

function parentFound(parent: string, types: readonly string[]): Found {
  if (types.length > 0) return ok(`${parent}: ${types.join(', ')}`);
  return warning(
    `${parent} offers no type`,
    'devices on it wait, TypeAbsent',
    "set up its driver; see the kernel's log",
  );
}

/** Functions whose driver offers vGPUs in a way of its own: NVIDIA's, without mdev_bus. */
async function otherVgpus(machine: Machine, sysfs: string): Promise<readonly string[]> {
  const functions = (await machine.names(`${sysfs}/bus/pci/devices`)) ?? [];
  const found: string[] = [];
  for (const one of functions) {
    const entry = await machine.entry(`${sysfs}/bus/pci/devices/${one}/nvidia/current_vgpu_type`);
    if (entry !== null) found.push(one);
  }
  return found;
}

function withoutBus(functions: readonly string[]): Found {
  return fault(
    `${functions.length} functions have nvidia/current_vgpu_type, the first is ${functions[0]}`,
    "their vGPUs are no mediated devices: NVIDIA's driver makes them in a way of its own, which this program does not know",
    'use a driver (vGPU 16 or earlier) and a kernel (before 6.8) that offer them by mdev_bus',
  );
}

async function createFound(machine: Machine, sysfs: string): Promise<readonly Found[]> {
  const parents = [...((await machine.names(`${sysfs}/class/mdev_bus`)) ?? [])].sort();
  const found: Found[] = [];
  let tried = 0;
  for (const parent of parents.slice(0, PARENTS_TRIED_MAX)) {
    const folder = `${sysfs}/class/mdev_bus/${parent}/mdev_supported_types`;
    const [type] = (await machine.names(folder)) ?? [];
    if (type === undefined) continue;
    const file = `${folder}/${type}/create`;
    tried += 1;
    const errno = await machine.refusal(file);
    if (errno !== null) found.push(refused(file, errno, machine.uid));
  }
  if (tried === 0) return [note('there is no file to try', 'no parent offers a type')];
  return found.length > 0 ? found : [ok(`can be opened for writing on ${tried} parents`)];
}

function refused(file: string, errno: number, uid: number): Found {
  const { name, says, leadsTo, hint } = explainErrno('create', errno, 'open');
  const cure = uid === 0 ? hint : 'run this again as root, as the agent runs: `sudo mdevfleet doctor`';
  return fault(
    `opening ${file} answers ${name} (${errno}): ${says}`,
    `devices wait, ${leadsTo.reason}`,
    cure,
  );
}

/** By its group a device is known to be in use, and guarded while it is removed. */
async function vfioFound(machine: Machine): Promise<readonly Found[]> {
  if ((await machine.entry('/dev/vfio')) !== null) return [ok('/dev/vfio is there')];
  return [
    warning(
      '/dev/vfio is not there',
      'whether a device is in use is then read from /proc alone, and no virtual machine can open one',
      "`modprobe vfio`; in a container, give it the host's /dev/vfio",
    ),
  ];
}
