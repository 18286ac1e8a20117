/**
 * `doctor`: looks at this machine and at the fleet as it is reached from here, and says what is wrong and its cure.
 *
 * It changes nothing. A file system or driver that hangs takes with it whoever asked, who cannot even exit then: so the
 * program runs itself once more, in the same terminal, and waits for that one no longer than for its answer.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import manifest from '../../package.json' with { type: 'json' };
import { scriptsIn } from '../../reconciler/callouts/scripts.ts';
import { systemClock } from '../../reconciler/clock-system.ts';
import { fleetAddress, type Settings } from '../config.ts';
import { type Check, examine } from '../doctor/examine.ts';
import { type Finding, type Level, note, ok, worst } from '../doctor/finding.ts';
import { type FleetLook, lookAtFleet } from '../doctor/fleet.ts';
import { hostChecks } from '../doctor/host.ts';
import { machineBelow } from '../doctor/machine-system.ts';
import type { Self } from '../doctor/speaker.ts';
import { EXIT, type Outcome } from '../exit.ts';
import { readMachine } from '../machine.ts';
import { variableOf } from '../options.ts';
import { SIMULATED_IDENTITY } from '../simulated.ts';
import { formOf } from './form.ts';
import { SPARE_PROCESS } from './guarded.ts';
import type { Output } from './output.ts';
import type { Cell, Colour } from './terminal.ts';
import type { Invocation } from './verb.ts';
import { showValue } from './view.ts';

/** A check that takes longer than so many answers of a server may take hangs. */
const CHECK_ANSWERS_MAX = 4;
/** The spare process of this verb says how it ended before it ends. */
const TELLS = 'tells';

const OUTCOMES = {
  ok: 'ok',
  note: 'ok',
  warning: 'warnings',
  fault: 'faults',
} as const satisfies Record<Level, Outcome>;

const COLOURS = { ok: 'green', note: 'dim', warning: 'yellow', fault: 'red' } as const satisfies Record<
  Level,
  Colour
>;

export async function doctor(invocation: Invocation): Promise<Outcome> {
  const mark = process.env[SPARE_PROCESS];
  if (mark === undefined) return runSpare();
  const outcome = await look(invocation);
  if (mark === TELLS) process.send?.(outcome);
  return outcome;
}

/** Answers as soon as the other process does, and does not wait for its end. */
async function runSpare(): Promise<Outcome> {
  const child = spawn(process.execPath, process.argv.slice(1), {
    env: { ...process.env, [SPARE_PROCESS]: TELLS },
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  const outcome = await new Promise<Outcome>((resolve, reject) => {
    child.once('error', reject);
    child.once('message', (told) => resolve(told as Outcome));
    child.once('exit', (status) => resolve(outcomeWith(status)));
  });
  child.kill('SIGKILL');
  if (child.connected) child.disconnect();
  child.unref();
  return outcome;
}

/** One that could not even begin has said why. */
function outcomeWith(status: number | null): Outcome {
  const found = Object.entries(EXIT).find(([, number]) => number === status);
  return (found?.[0] as Outcome | undefined) ?? 'unexpected';
}

async function look({ settings, args, flags, out }: Invocation): Promise<Outcome> {
  const form = formOf(flags);
  const [part] = args;
  const msMax = CHECK_ANSWERS_MAX * settings.limits.natsTimeoutMs;
  const ofHost = part === 'fleet' ? [] : checksOfHost(settings);
  const fleet = part === 'host' ? NO_LOOK : checksOfFleet(settings, part === 'fleet');
  try {
    const findings = await examine([...ofHost, ...fleet.checks], systemClock, msMax);
    const level = worst(findings);
    if (form === 'json' || form === 'yaml') await showValue({ level, findings }, form, out);
    else show(findings, out);
    return OUTCOMES[level];
  } finally {
    await fleet.close();
  }
}

function checksOfHost(settings: Settings): readonly Check[] {
  const { sysfs = '/sys', simulate, data = null, host = null, hooks, creds, nkey, tlsKey } = settings;
  const { version: program, dependencies } = manifest;
  return hostChecks(machineBelow({ root: '/', path: process.env['PATH'] ?? '' }), {
    sysfs: simulate ? null : sysfs,
    ...{ data, host },
    secrets: { '--creds': creds, '--nkey': nkey, '--tls-key': tlsKey },
    versions: { program, node: process.versions.node, lmdb: dependencies.lmdb },
    scripts: hooks === undefined ? null : () => scriptsIn(hooks),
  });
}

const NO_LOOK: FleetLook = { checks: [], close: async () => {} };

/** Throws a Failure when the fleet is asked for, and none is named. */
function checksOfFleet(settings: Settings, isAskedFor: boolean): FleetLook {
  if (!isAskedFor && settings.nats === undefined && settings.data === undefined) return unnamed();
  const address = fleetAddress(settings);
  if (address.kind === 'nats') return lookAtFleet(address, systemClock, selfOf(settings));
  return { ...NO_LOOK, checks: [{ name: 'fleet', look: async () => [embedded(address.data)] }] };
}

/** Only a machine with a journal's folder is a host, and without an identity it is nobody. */
function selfOf({ host, data, simulate }: Settings): Self | null {
  if (host === undefined || data === undefined) return null;
  if (simulate) return { host, machine: SIMULATED_IDENTITY };
  try {
    return { host, machine: readMachine() };
  } catch {
    return null;
  }
}

function unnamed(): FleetLook {
  const cure = `give --nats URL, or set ${variableOf('nats')}`;
  const found = note('no server is named', 'only this machine was looked at', cure);
  return { ...NO_LOOK, checks: [{ name: 'server', look: async () => [found] }] };
}

function embedded(data: string) {
  const isThere = existsSync(`${data}/fleet/data.mdb`);
  const what = `no server is named: the fleet is the embedded one in ${data}`;
  if (isThere) return ok(what);
  return note(
    `${what}, which is not made yet`,
    'the first declaration or agent makes it',
    '`mdevfleet init`',
  );
}

function show(findings: readonly Finding[], out: Output): void {
  out.table(['LEVEL', 'CHECK', 'FOUND'], findings.flatMap(lines));
  out.line('');
  const count = (level: Level): number => findings.filter((one) => one.level === level).length;
  out.line(
    `faults: ${count('fault')}, warnings: ${count('warning')}, notes: ${count('note')}, ok: ${count('ok')}`,
  );
}

/** The cure below what it is of. */
function lines({ level, check, found, means, cure }: Finding): Cell[][] {
  const below = (label: string, text: string | null): Cell[][] =>
    text === null ? [] : [[{ text: '' }, { text: '' }, { text: `  ${label}: ${text}` }]];
  return [
    [{ text: level, colour: COLOURS[level] }, { text: check }, { text: found }],
    ...below('means', means),
    ...below('cure', cure),
  ];
}
