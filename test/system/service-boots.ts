/**
 * What runs beside the agent in the two boots of service.test.ts, and what it says on the report port: `NAME VALUE…`.
 *
 * In the first, devices are declared on an embedded fleet, the agent hangs, and so does a write of it. In the second, its
 * settings name a server at which nobody listens, the driver of the parents comes after the agent, and that is killed. An
 * emulated machine is slow, so what is waited for in vain is waited for less, and what is worth it longer.
 */
import { DRIVER, type Files, HOLD, startedAtBoot } from './debian-guest.ts';
import { JOINED, PROGRAM } from './installed.ts';

export const HOST = 'guest';
export const DATA = '/var/lib/mdevfleet';
export const PARENTS = ['mdevfleet-0', 'mdevfleet-1', 'mdevfleet-2'] as const;
export const UUIDS = [11, 12, 13].map((n) => `00000000-0000-4000-8000-0000000000${n}`);
/** What is declared on the second parent, whose driver can be made to hang. */
const [, , OTHER = ''] = UUIDS;
/** Withdrawn while a process has it open. */
export const HELD = '00000000-0000-4000-8000-000000000014';

const WORDS = `#!/bin/sh
exec 3>"$(echo /dev/vport*p1)"
say() { echo "$*" >&3; }
now() { read -r up _ </proc/uptime; echo "\${up%.*}"; }
show() { systemctl show --property="$1" --value mdevfleet; }
devices() { ls /sys/bus/mdev/devices | tr '\\n' ' '; }
complete() { for uuid in ${UUIDS.join(' ')}; do [ -e "/sys/bus/mdev/devices/$uuid/mdev_type" ] || return 1; done; }
# The number of a folder of sysfs is never that of an earlier one.
identities() { stat --dereference --format=%i /sys/bus/mdev/devices/* | tr '\\n' ' '; }
running() { [ "$(show ActiveState)" = active ] && [ "$(show NRestarts)" -ge "$1" ]; }
until_() { until "$@"; do sleep 0.5; done; }
`;

/** Stands in for the service that starts guests. */
const GUESTS = `${WORDS}
say guests "$(show ActiveState)" "$(devices)"
`;

const FIRST = `${WORDS}
until_ complete
held=/sys/bus/mdev/devices/${HELD}
until_ test -e $held/mdev_type
sleep 1000 | ${HOLD} "/dev/vfio/$(basename "$(readlink $held/iommu_group)")" ${HELD} >/run/held &
until grep -q held /run/held; do sleep 0.2; done
${PROGRAM} delete --data ${DATA} ${HELD}
until_ grep -aq '"reason":"InUse"' ${DATA}/hosts/${HOST}/data.mdb
say used "$(grep -ao '"InUse","message":"[^"]*' ${DATA}/hosts/${HOST}/data.mdb | tail -n 1)" of "$!"
kill "$!"
until [ ! -e $held ]; do sleep 0.5; done
say made "$(identities)"
say confined "$(grep -h -e CapEff -e NoNewPrivs -e Seccomp: "/proc/$(show MainPID)/status" | tr -s '\\t\\n' '  ')"

kill -STOP "$(show MainPID)"
until_ running 1
say watched "$(identities)"

parent=/sys/class/mdevfleet/${PARENTS[1]}
probes=$(cat $parent/probes)
echo 600000 >$parent/fault/probe_delay_ms
echo 1 >/sys/bus/mdev/devices/${OTHER}/remove
until [ "$(cat $parent/probes)" -gt "$probes" ]; do sleep 0.2; done
before=$(now)
systemctl stop mdevfleet
say stopped "$(show ActiveState)" "$(($(now) - before))"
echo 0 >$parent/fault/probe_delay_ms
until_ complete
say left "$(devices)"
cat >/etc/mdevfleet/config.yaml <<'END'
${config({ nats: 'nats://127.0.0.1:4222' })}
END
systemctl poweroff
`;

/** Lets the driver in once the agent listens for uevents, and has had time to say that it is ready. */
const LATE = `${WORDS}
until grep -qsx udevadm /proc/[0-9]*/comm; do sleep 0.5; done
sleep 3
say late "$(show ActiveState)"
insmod ${DRIVER}
`;

const SECOND = `${WORDS}
say again "$(show StatusText)"
say made "$(identities)"
kill -KILL "$(show MainPID)"
until [ "$(show NRestarts)" -ge 1 ]; do sleep 0.2; done
say killed "$(identities)"
systemctl poweroff
`;

export const FIRST_BOOT: Files = {
  ...JOINED,
  '/etc/mdevfleet/config.yaml': `${config({})}\n`,
  '/etc/systemd/system/mdevfleet.service.d/times.conf': [
    '[Service]',
    'TimeoutStartSec=250s',
    'WatchdogSec=20s',
    'RestartSec=100ms',
    'TimeoutStopSec=15s',
    '',
  ].join('\n'),
  ...service('libvirt-guests', GUESTS, ['Type=oneshot']),
  ...service('acts', FIRST, []),
};

export const SECOND_BOOT: Files = {
  ...service('late', LATE, []),
  ...service('acts', SECOND, []),
};

function config(more: Readonly<Record<string, string>>): string {
  const settings = { host: HOST, data: DATA, ...more };
  return Object.entries(settings)
    .map(([key, value]) => `${key}: ${value}`)
    .concat('limits: {stopDeadlineMs: 3000, readyMsMax: 200000}')
    .join('\n');
}

/** A service that runs a script; of these, only the one that starts guests has an order of its own. */
function service(name: string, script: string, lines: readonly string[]): Files {
  const after = name === 'acts' ? ['After=mdevfleet.service libvirt-guests.service'] : [];
  return {
    [`/test/${name}`]: script,
    ...startedAtBoot(name, ['[Unit]', ...after, '[Service]', ...lines, `ExecStart=/test/${name}`]),
  };
}
