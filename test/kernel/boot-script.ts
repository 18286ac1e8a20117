/**
 * The script that a guest runs once it can read the folder shared with the host. It is made anew for each boot and says
 * what to mount, which driver to load and what to run; init.sh gives it `share` and a PATH.
 */
import { delimiter, dirname } from 'node:path';
import { ROOT, type Share } from './shares.ts';

export type GuestProgram = {
  /** Also the name of the file that its standard error goes to: letters, digits and dashes. */
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Of the guest's clock; it is killed then. */
  readonly deadlineSeconds?: number;
};

export type DriverParameters = {
  readonly parents?: number;
  readonly limited?: number;
  readonly capacity?: number;
};

/** What tells one machine from another. */
export type MachineIdentity = { readonly machineId: string; readonly dmiUuid: string };

export type BootScript = {
  readonly programs: readonly GuestProgram[];
  readonly disk: boolean;
  readonly shares: readonly Share[];
  readonly driver: DriverParameters | null;
  readonly identity: MachineIdentity;
};

export const DEFAULT_IDENTITY: MachineIdentity = {
  machineId: '6d646576666c65657400000000000001',
  dmiUuid: '6d646576-666c-4565-8400-000000000001',
};
const DEADLINE_SECONDS = 240;

export function bootScript(script: BootScript): string {
  const { shares, disk, driver, identity, programs } = script;
  return [
    ...shares.map(({ tag, folder }) => `share ${tag} ${quote(folder)} ro,cache=loose`),
    ...(disk ? DISK : []),
    `echo ${quote(identity.machineId)} >/etc/machine-id`,
    'hostname guest',
    ...(driver === null ? [] : [`insmod /guest/modules/mdevfleet_test.ko ${parameters(driver)}`]),
    ...ENVIRONMENT,
    ...REPORTING,
    ...programs.map(programLine),
    'cd /',
    ...(disk ? ['umount /guest/disk || sync'] : []),
    'say off',
    'poweroff -f',
    '',
  ].join('\n');
}

const DISK = [
  'for module in $(cat /guest/modules/disk); do insmod "/guest/modules/$module"; done',
  'mkdir -p /guest/disk',
  'mount -t ext4 /dev/vda /guest/disk',
];

/**
 * Without a zone Node compares all files of /usr/share/zoneinfo at its first date, which over 9p takes 13 s of CPU; and
 * what one process has compiled the next need not.
 */
const ENVIRONMENT = [
  'export TZ=UTC NODE_COMPILE_CACHE=/guest/compiled',
  `export PATH=${quote([dirname(process.execPath), '/usr/bin', '/usr/sbin', '/guest/bin'].join(delimiter))}`,
  'export HOME=/root',
  `cd ${quote(ROOT)}`,
];

/** File descriptor 3 is the report port. A line of ours starts a line, even if a program left one unfinished. */
const REPORTING = [
  'until [ -c /dev/vport*p1 ]; do sleep 0.02; done',
  'exec 3>"$(echo /dev/vport*p1)"',
  'say() { read -r up _ </proc/uptime; printf "\\n@%s %s\\n" "$*" "$up" >&3; }',
  'run() { # run NAME SECONDS ARGV...',
  '  name=$1 seconds=$2 status=0; shift 2',
  '  timeout -s KILL "$seconds" "$@" </dev/null >&3 2>"/guest/shared/$name.stderr" 3>&- || status=$?',
  '  say end "$status"',
  '}',
];

function programLine(program: GuestProgram, index: number): string {
  const { name, argv, env = {}, deadlineSeconds = DEADLINE_SECONDS } = program;
  const variables = Object.entries(env).map(([key, value]) => quote(`${key}=${value}`));
  const words = [...(variables.length === 0 ? [] : ['env', ...variables]), ...argv.map(quote)];
  return `say begin ${index}; run ${quote(name)} ${deadlineSeconds} ${words.join(' ')}`;
}

function parameters(driver: DriverParameters): string {
  return Object.entries(driver)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function quote(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
