/**
 * What the doctor says of a machine: nothing of a sound one, and of each that is not, what is wrong and its cure.
 */
import { chmodSync, truncateSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Level } from '../../../src/doctor/finding.ts';
import type { HostOptions } from '../../../src/doctor/host.ts';
import { kernelFound } from '../../../src/doctor/kernel.ts';
import type { Machine } from '../../../src/doctor/machine.ts';
import { lockJournal } from '../../../store/journal/lock.ts';
import { CREATE, LaidOut } from './laid-out.ts';

let on: LaidOut;
beforeEach(() => {
  on = new LaidOut();
});
afterEach(() => on.end());

test('a sound host: nothing is wrong, and everything was looked at', async () => {
  const found = await on.findings();
  expect(found.filter(({ level }) => level !== 'ok')).toEqual([]);
  expect(found.map(({ check }) => check)).toEqual([
    ...['kernel', 'modules', 'iommu', 'sysfs', 'parents', 'create', 'vfio', 'identity'],
    ...['rights', 'programs', 'clock', 'versions', 'state', 'journal', 'secrets', 'mdevctl', 'managers'],
  ]);
  expect(found.find(({ check }) => check === 'parents')?.found).toBe('mtty: mtty-1');
});

test.each([
  ['6.12.9-1-pve', 'ok'],
  ['6.1.0-49-amd64', 'ok'],
  ['5.14.0-427.el9.x86_64', 'note'],
  ['5.10.0-30-amd64', 'note'],
  ['5.1.21', 'warning'],
  ['4.19.0', 'warning'],
  ['4.4.0-210-generic', 'fault'],
  ['unknown', 'warning'],
])('kernel %s: %s', (release, level) => {
  expect(kernelFound(release).level).toBe(level);
});

const DEFINITION = '{"mdev_type":"mtty-1","start":"auto","attrs":[]}';
const UUID = '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b01';
const VIRTUAL = '/sys/class/mdev_bus/0000:41:00.4';
const HOSTS = '/var/lib/mdevfleet/hosts';
const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const EXT4 = 0xef53;

const sound: Machine['journal'] = async () => ({ kind: 'sound', tail: { seq: 7, hash: 'h' } });

type Case = {
  readonly change?: (it: LaidOut) => void;
  readonly options?: Partial<HostOptions>;
  readonly machine?: Partial<Machine>;
  /** Of all that is wrong, what this is about: check and level, then what is found and the cure, in part. */
  readonly told: readonly [what: `${string} ${Level}`, found: string, cure: string];
};

const CASES: Readonly<Record<string, Case>> = {
  'has no mdev': {
    change: (it) => {
      it.remove('/sys/bus/mdev');
      it.remove('/sys/class/mdev_bus');
    },
    told: ['modules fault', 'mdev is neither', 'modprobe mdev'],
  },
  'has no parent': {
    change: (it) => it.remove('/sys/class/mdev_bus/mtty'),
    told: ['parents warning', 'there is none', 'modprobe'],
  },
  'has a parent without types': {
    change: (it) => it.write('/sys/class/mdev_bus/0000:41:00.0/uevent', ''),
    told: ['parents warning', '0000:41:00.0 offers no type', "kernel's log"],
  },
  'lacks a module that its kernel does not have': {
    change(it) {
      it.remove('/sys/module/vfio_iommu_type1');
      it.write('/lib/modules/6.1.0-49-amd64/modules.dep', 'kernel/drivers/vfio/vfio.ko:\n');
    },
    told: ['modules warning', 'vfio_iommu_type1 is neither', 'install a kernel that has vfio_iommu_type1'],
  },
  'lacks the bridge from mdev to vfio that its kernel needs': {
    change: (it) => it.write('/lib/modules/6.1.0-49-amd64/modules.dep', 'kernel/vfio_mdev.ko.xz:\n'),
    told: ['modules warning', 'vfio_mdev is neither', 'modprobe vfio_mdev'],
  },
  'has virtual functions and no IOMMU': {
    change(it) {
      it.remove('/sys/class/iommu');
      it.write(`${VIRTUAL}/physfn/vendor`, '');
      it.write(`${VIRTUAL}/mdev_supported_types/nvidia-474/create`, '');
    },
    told: ['iommu warning', '1 parents are virtual functions', 'intel_iommu=on'],
  },
  'has vGPUs that are no mediated devices': {
    change: (it) => it.write('/sys/bus/pci/devices/0000:41:00.4/nvidia/current_vgpu_type', '0'),
    told: ['parents fault', '0000:41:00.4', 'kernel (before 6.8)'],
  },
  'has no sysfs': {
    change: (it) => it.remove('/sys/bus'),
    told: ['sysfs fault', '/sys is not a sysfs', 'mount -t sysfs'],
  },
  'has a sysfs that is mounted read-only': {
    change: (it) => it.write('/proc/self/mountinfo', '22 1 0:20 / /sys ro,nosuid - sysfs sysfs rw\n'),
    told: ['sysfs fault', 'mounted read-only', 'mount -o remount,rw /sys'],
  },
  'may not open create': {
    machine: { refusal: async () => 13 },
    told: ['create fault', `${CREATE} answers EACCES (13)`, 'run the agent as root'],
  },
  'may not write to sysfs': {
    machine: { refusal: async () => 30 },
    told: ['create fault', 'EROFS (30)', 'mount -o remount,rw /sys'],
  },
  'cannot be told from others': {
    change: (it) => it.write('/etc/machine-id', '\n'),
    told: ['identity fault', '/etc/machine-id is missing or empty', 'systemd-machine-id-setup'],
  },
  'is looked at by somebody else than root': {
    machine: { uid: 1000 },
    told: ['rights note', 'runs as user 1000', 'sudo mdevfleet doctor'],
  },
  'has no udevadm': {
    change: (it) => it.remove('/usr/bin/udevadm'),
    told: ['programs warning', 'udevadm is not installed', 'apt-get install udev'],
  },
  'has no flock': {
    change: (it) => it.remove('/usr/bin/flock'),
    told: ['programs fault', 'flock is not installed', 'apt-get install util-linux'],
  },
  'has a clock of its own': {
    change: (it) => it.write('/usr/bin/timedatectl', '#!/bin/sh\necho no'),
    told: ['clock warning', 'not synchronised', 'timedatectl set-ntp true'],
  },
  'keeps its state on a file system that cannot be mapped': {
    machine: { room: async () => ({ fileSystem: 0x01021997, freeBytes: GIB }) },
    told: ['state fault', '/var/lib/mdevfleet is on 9p', 'ext4'],
  },
  'keeps its state in memory': {
    machine: { room: async () => ({ fileSystem: 0x01021994, freeBytes: GIB }) },
    told: ['state warning', 'is on tmpfs', 'a disk'],
  },
  'has a full disk': {
    machine: { room: async () => ({ fileSystem: EXT4, freeBytes: 10 * MIB }) },
    told: ['state fault', '10 MiB free', 'journal archive'],
  },
  'has no room to archive': {
    change(it) {
      it.write(`${HOSTS}/host-a/data.mdb`, '');
      truncateSync(it.at(`${HOSTS}/host-a/data.mdb`), 2 * GIB);
    },
    machine: { room: async () => ({ fileSystem: EXT4, freeBytes: GIB }), journal: sound },
    told: ['state warning', '1024 MiB free in /var/lib/mdevfleet, and the journal takes 2048 MiB', 'archive'],
  },
  'may not write where its state is': {
    machine: { mayWrite: async () => false },
    told: ['state fault', 'cannot be written', 'mount -o remount,rw'],
  },
  'has a file where its state should be': {
    options: { data: '/etc/os-release' },
    told: ['state fault', 'is no folder', '--data'],
  },
  'has a journal that is none': {
    change: (it) => it.write(`${HOSTS}/host-a/data.mdb`, ''),
    told: ['journal fault', 'data.mdb is empty', 'mdevfleet verify --host host-a'],
  },
  'has a key that all can read': {
    change(it) {
      it.write('/etc/mdevfleet/host.nkey', 'SU');
      chmodSync(it.at('/etc/mdevfleet/host.nkey'), 0o644);
    },
    options: { secrets: { '--nkey': '/etc/mdevfleet/host.nkey' } },
    told: ['secrets warning', '(--nkey) can be read by others', 'chmod 600 /etc/mdevfleet/host.nkey'],
  },
  'has no such key': {
    options: { secrets: { '--creds': '/etc/mdevfleet/host.creds' } },
    told: ['secrets fault', '/etc/mdevfleet/host.creds (--creds) is not there', 'correct the path'],
  },
  'has callout scripts that others could write': {
    options: { scripts: () => Promise.reject(new Error('may be written by others')) },
    told: ['hooks fault', 'may be written by others', '--hooks'],
  },
  'has definitions that udev starts': {
    change: (it) => it.write(`/etc/mdevctl.d/mtty/${UUID}`, DEFINITION),
    told: ['mdevctl warning', `the first is ${UUID}`, 'mdevfleet export mdevctl'],
  },
  'is a node of KubeVirt': {
    change: (it) => it.write('/proc/77/cmdline', 'virt-handler\0--port\x008443\0'),
    told: ['managers warning', 'virt-handler runs here', 'mediatedDevicesConfiguration'],
  },
  'was a node of KubeVirt': {
    change: (it) => it.write('/var/run/kubevirt/x', ''),
    told: ['managers note', 'runs here or did', 'mediatedDevicesConfiguration'],
  },
  "is given to NVIDIA's device manager": {
    change: (it) => it.write('/proc/78/cmdline', '/usr/bin/nvidia-k8s-vgpu-dm\0'),
    told: ['managers warning', 'vgpu-device-manager runs here', 'nvidia.com/vgpu.config'],
  },
  'is a compute node of Nova': {
    change: (it) => it.write('/proc/79/cmdline', '/usr/bin/python3\0/usr/bin/nova-compute\0'),
    told: ['managers warning', 'Nova runs here', 'device_addresses'],
  },
};

describe('a host that', () => {
  test.each(Object.entries(CASES))('%s', async (_, { change, options, machine, told }) => {
    change?.(on);
    const wrong = await on.wrong(options, machine);
    const [what, found, cure] = told;
    const [check, level] = what.split(' ');
    const about = wrong.filter((one) => one.check === check);
    expect(about).toEqual([
      {
        ...{ check, level },
        found: expect.stringContaining(found),
        means: expect.any(String),
        cure: expect.stringContaining(cure),
      },
    ]);
  });
});

test('a folder that an agent has still to make is looked for where it would be', async () => {
  const wrong = await on.wrong({ data: '/srv/not/yet' });
  expect(wrong).toMatchObject([{ check: 'state', level: 'note', found: '/srv/not/yet is not there' }]);
});

test('a simulated kernel: nothing is said of the real one', async () => {
  const found = await on.findings({ sysfs: null });
  expect(found.map(({ check }) => check)).not.toContain('create');
  expect(found.find(({ check }) => check === 'kernel')).toMatchObject({ level: 'note', found: 'simulated' });
});

test('who has a journal is known without trying its lock', async () => {
  const dir = on.at(`${HOSTS}/host-a`);
  const text: Machine['text'] = (path) =>
    path === '/proc/locks' ? readFile(path, 'utf8') : on.machine.text(path);
  const journal = async (): Promise<string | undefined> => {
    const found = await on.findings({ host: 'host-a' }, { text, journal: sound });
    return found.find(({ check }) => check === 'journal')?.found;
  };
  const lock = lockJournal(dir, { pid: 4711, host: 'host-a', since: '2026-01-01T00:00:00Z' });
  expect(await journal()).toBe('of host host-a: 7 records, 0 MiB, in use by process 4711');
  lock.release();
  expect(await journal()).toBe('of host host-a: 7 records, 0 MiB, in use by nobody');
});
