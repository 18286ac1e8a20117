/**
 * The kernel: which one it is and what that means here, the modules that mediated devices need, and the IOMMU.
 */
import type { Check } from './examine.ts';
import { type Found, fault, note, ok, warning } from './finding.ts';
import type { Machine } from './machine.ts';

/** The kernel on which everything is tested (test/kernel). */
const TESTED = '6.1';

type Era = { readonly before: string; readonly level: 'fault' | 'warning' | 'note'; readonly means: string };

/** What older kernels do not do; the first that fits is told. */
const ERAS: readonly Era[] = [
  {
    before: '4.18',
    level: 'fault',
    means: 'it lets one UUID exist on two parents of one host, which nothing here can undo',
  },
  {
    before: '5.2',
    level: 'warning',
    means: 'a removal that fails can leave a device that is only half there',
  },
  {
    before: '5.3',
    level: 'warning',
    means: 'it does not say when a parent comes or goes: that is found by polling',
  },
  {
    before: '5.14',
    level: 'note',
    means: 'a driver that refuses a device does not always say so: it is found by looking again',
  },
  {
    before: TESTED,
    level: 'note',
    means: `it is older than ${TESTED}, on which this program is tested`,
  },
];

export function kernelChecks(machine: Machine, sysfs: string): readonly Check[] {
  return [
    { name: 'kernel', look: async () => [kernelFound(await releaseOf(machine))] },
    { name: 'modules', look: () => modulesFound(machine, sysfs) },
    { name: 'iommu', look: () => iommuFound(machine, sysfs) },
  ];
}

/** As uname -r prints it. */
export async function releaseOf(machine: Machine): Promise<string> {
  return (await machine.text('/proc/sys/kernel/osrelease'))?.trim() ?? 'unknown';
}

/** What a kernel of this release means. */
export function kernelFound(release: string): Found {
  const version = versionOf(release);
  if (version === null)
    return warning(
      `release ${release}`,
      'it is not known what it can do',
      'see that /proc is mounted: `mount -t proc proc /proc`',
    );
  const era = ERAS.find(({ before }) => isBefore(version, versionOf(before) ?? [0, 0]));
  if (era === undefined) return ok(`${release}`);
  const { level, means } = era;
  return { level, found: release, means, cure: level === 'note' ? null : `run Linux ${TESTED} or later` };
}

type Version = readonly [number, number];

function versionOf(release: string): Version | null {
  const found = /^(\d+)\.(\d+)/.exec(release);
  return found === null ? null : [Number(found[1]), Number(found[2])];
}

function isBefore([major, minor]: Version, [thenMajor, thenMinor]: Version): boolean {
  return major < thenMajor || (major === thenMajor && minor < thenMinor);
}

/** Where a module shows, loaded or built in: with parameters or without. */
const SIGNS: Readonly<Record<string, readonly string[]>> = {
  mdev: ['module/mdev', 'bus/mdev', 'class/mdev_bus'],
  vfio: ['module/vfio', 'class/vfio', 'class/vfio-dev'],
  vfio_iommu_type1: ['module/vfio_iommu_type1'],
};

async function modulesFound(machine: Machine, sysfs: string): Promise<readonly Found[]> {
  const missing: string[] = [];
  for (const [module, signs] of Object.entries(SIGNS)) {
    const seen = await Promise.all(signs.map((sign) => machine.entry(`${sysfs}/${sign}`)));
    if (seen.every((one) => one === null)) missing.push(module);
  }
  const folder = `/lib/modules/${await releaseOf(machine)}`;
  const known = await machine.text(`${folder}/modules.dep`);
  const builtin = (await machine.text(`${folder}/modules.builtin`)) ?? '';
  const absent = missing.filter((module) => !names(builtin, module));
  if (
    known !== null &&
    names(known, 'vfio_mdev') &&
    (await machine.entry(`${sysfs}/module/vfio_mdev`)) === null
  )
    absent.push('vfio_mdev');
  if (absent.length === 0) return [ok('mdev, vfio and vfio_iommu_type1 are there')];
  return absent.map((module) => moduleMissing(module, known));
}

function moduleMissing(module: string, known: string | null): Found {
  const what = `${module} is neither loaded nor built in`;
  const means =
    module === 'mdev'
      ? 'no driver can offer mediated devices'
      : 'devices can be made, but no virtual machine can use them';
  const cure =
    known === null || names(known, module)
      ? `\`modprobe ${module}\`, and a line with it in /etc/modules-load.d/mdevfleet.conf`
      : `install a kernel that has ${module}`;
  return module === 'mdev' ? fault(what, means, cure) : warning(what, means, cure);
}

/** Module files use _ or - in their names, and may be packed. */
function names(list: string, module: string): boolean {
  return new RegExp(`(^|/)${module.replaceAll('_', '[_-]')}\\.ko`, 'm').test(list);
}

/** The drivers' own emulation needs none; hardware that is passed through does. */
async function iommuFound(machine: Machine, sysfs: string): Promise<readonly Found[]> {
  const units = (await machine.names(`${sysfs}/class/iommu`)) ?? [];
  const parents = (await machine.names(`${sysfs}/class/mdev_bus`)) ?? [];
  const virtualFunctions: string[] = [];
  for (const parent of parents)
    if ((await machine.entry(`${sysfs}/class/mdev_bus/${parent}/physfn`)) !== null)
      virtualFunctions.push(parent);
  if (units.length > 0) return [ok(`${units.length} units`)];
  if (virtualFunctions.length > 0)
    return [
      warning(
        `none, and ${virtualFunctions.length} parents are virtual functions of a card`,
        'their devices may not reach the memory of a virtual machine',
        'switch it on in the firmware, and boot with intel_iommu=on or amd_iommu=on',
      ),
    ];
  return [note('none', 'most mediated devices need none; SR-IOV cards and devices passed through do')];
}
