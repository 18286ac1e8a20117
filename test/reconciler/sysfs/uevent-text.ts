/**
 * What `udevadm monitor --kernel --property` writes, taken down on a real kernel.
 */
export const UUID = '00000000-0000-4000-8000-000000000001';
export const PARENT = '0000:00:04.0';

export const HEADER = 'monitor will print the received events for:\nKERNEL - the kernel uevent\n\n';

export function deviceEvent(uuid: string, action: string): string {
  const path = `/devices/pci0000:00/${PARENT}/${uuid}`;
  return `KERNEL[11.280962] ${action.padEnd(8)} ${path} (mdev)
ACTION=${action}
DEVPATH=${path}
SUBSYSTEM=mdev
SEQNUM=688

`;
}

export function parentEvent(parent: string, state: string): string {
  const path = `/devices/pci0000:00/${parent}`;
  return `KERNEL[13.894897] change   ${path} (pci)
ACTION=change
DEVPATH=${path}
SUBSYSTEM=pci
MDEV_STATE=${state}
SEQNUM=704

`;
}
