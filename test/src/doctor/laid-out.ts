/**
 * A machine as a folder: what the doctor asks for is found below it. It begins as a host on which nothing is wrong.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../../../reconciler/clock-system.ts';
import { examine } from '../../../src/doctor/examine.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { type HostOptions, hostChecks } from '../../../src/doctor/host.ts';
import type { Machine } from '../../../src/doctor/machine.ts';
import { machineBelow } from '../../../src/doctor/machine-system.ts';

const TYPE = '/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-1';
const CHECK_MS_MAX = 10_000;

const SOUND: Readonly<Record<string, string>> = {
  '/proc/sys/kernel/osrelease': '6.1.0-49-amd64\n',
  '/proc/self/status': 'CapEff:\t000001ffffffffff\n',
  '/proc/self/mountinfo': '22 1 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n',
  '/proc/1/cmdline': '/sbin/init\0',
  '/etc/machine-id': '0123456789abcdef0123456789abcdef\n',
  '/etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
  '/sys/bus/mdev/drivers_probe': '',
  '/sys/module/vfio/refcnt': '1',
  '/sys/module/vfio_iommu_type1/refcnt': '1',
  '/sys/class/iommu/dmar0/name': '',
  [`${TYPE}/create`]: '',
  '/dev/vfio/vfio': '',
  '/usr/bin/flock': '#!/bin/sh',
  '/usr/bin/udevadm': '#!/bin/sh',
  '/usr/bin/timedatectl': '#!/bin/sh\necho yes',
  '/var/lib/mdevfleet/hosts/.keep': '',
};

export const CREATE = `${TYPE}/create`;

export class LaidOut {
  readonly root = mkdtempSync(join(tmpdir(), 'mdevfleet-doctor-'));
  readonly machine: Machine;

  constructor() {
    for (const [path, text] of Object.entries(SOUND)) this.write(path, text);
    this.machine = { ...machineBelow({ root: this.root, path: '/usr/bin' }), uid: 0 };
  }

  at(path: string): string {
    return join(this.root, path);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), text);
    if (path.startsWith('/usr/bin/')) chmodSync(this.at(path), 0o755);
  }

  remove(path: string): void {
    rmSync(this.at(path), { recursive: true });
  }

  /** What is found, on the machine or one that differs a little from it. */
  findings(options: Partial<HostOptions> = {}, machine: Partial<Machine> = {}): Promise<readonly Finding[]> {
    const all = {
      ...{ sysfs: '/sys', data: '/var/lib/mdevfleet', host: null, secrets: {}, scripts: null },
      versions: { program: '1.0.0', node: '24.0.0', lmdb: '3.0.0' },
      ...options,
    };
    return examine(hostChecks({ ...this.machine, ...machine }, all), systemClock, CHECK_MS_MAX);
  }

  /** Only what is not ok. */
  async wrong(
    options: Partial<HostOptions> = {},
    machine: Partial<Machine> = {},
  ): Promise<readonly Finding[]> {
    return (await this.findings(options, machine)).filter(({ level }) => level !== 'ok');
  }

  end(): void {
    rmSync(this.root, { recursive: true });
  }
}
