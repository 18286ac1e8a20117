/**
 * Who else on this host makes and removes mediated devices, and would do so beside an agent.
 *
 * An agent touches nothing that is not declared, so they can live side by side; but one that starts, or takes, the same
 * devices works against it. docs/peers.md says what each does.
 */
import { MDEVCTL_FOLDER } from '../mdevctl/folder.ts';
import { parseDefinition } from '../mdevctl/parse.ts';
import type { Check } from './examine.ts';
import { type Found, note, ok, warning } from './finding.ts';
import type { Machine } from './machine.ts';

type Manager = {
  readonly name: string;
  /** In a command line. */
  readonly program: RegExp;
  /** There while it is installed on the host. */
  readonly folder?: string;
  readonly does: string;
  readonly cure: string;
};

const MANAGERS: readonly Manager[] = [
  {
    name: "KubeVirt's virt-handler",
    program: /(^|\/)virt-handler(\0|$)/,
    folder: '/var/run/kubevirt',
    does: 'it makes mediated devices of the types that it is told, and removes others, also ones that it did not make',
    cure: 'take this node out of its mediatedDevicesConfiguration, or give it the devices as permittedHostDevices with externalResourceProvider',
  },
  {
    name: 'NVIDIA vgpu-device-manager',
    program: /nvidia-(k8s-)?vgpu-dm(\0|$)/,
    does: 'it removes all vGPUs of a card before it makes its own',
    cure: 'take its label nvidia.com/vgpu.config from this node, or switch it off in the GPU operator',
  },
  {
    name: 'OpenStack Nova',
    program: /nova-compute(\0|$)/,
    does: 'it makes a mediated device when a guest asks for one, on any parent that has room',
    cure: 'give it other parents: `device_addresses` in nova.conf',
  },
];

export function otherChecks(machine: Machine): readonly Check[] {
  return [
    { name: 'mdevctl', look: async () => [await mdevctlFound(machine)] },
    { name: 'managers', look: () => managersFound(machine) },
  ];
}

/** Definitions that udev starts by itself as soon as their parent is there. */
async function mdevctlFound(machine: Machine): Promise<Found> {
  const auto: string[] = [];
  for (const parent of (await machine.names(MDEVCTL_FOLDER)) ?? []) {
    const folder = `${MDEVCTL_FOLDER}/${parent}`;
    if (parent === 'scripts.d' || (await machine.entry(folder))?.kind !== 'folder') continue;
    for (const uuid of (await machine.names(folder)) ?? []) {
      const text = await machine.text(`${folder}/${uuid}`);
      const { definitions } = parseDefinition(
        { file: `${folder}/${uuid}`, text: text ?? '' },
        { parent, uuid },
      );
      if (definitions.some(({ start }) => start === 'auto')) auto.push(uuid);
    }
  }
  if (auto.length === 0) return ok('no definition is started automatically');
  return warning(
    `${auto.length} definitions in ${MDEVCTL_FOLDER} are started automatically, the first is ${auto.sort()[0]}`,
    'udev starts them beside the agent: a declared one may be there without its attributes for a moment, others are unmanaged',
    'declare them (`mdevfleet import mdevctl`) and then `mdevfleet export mdevctl --dir /etc/mdevctl.d`, which sets them to manual',
  );
}

async function managersFound(machine: Machine): Promise<readonly Found[]> {
  const commands = await commandLines(machine);
  const found: Found[] = [];
  for (const { name, program, folder, does, cure } of MANAGERS) {
    if (commands.some((line) => program.test(line))) found.push(warning(`${name} runs here`, does, cure));
    else if (folder !== undefined && (await machine.entry(folder)) !== null)
      found.push(note(`${folder} is there, so ${name} runs here or did`, does, cure));
  }
  return found.length > 0 ? found : [ok('no other one is known to run here')];
}

/** The first words of every process's command line, with the zero byte behind each. */
async function commandLines(machine: Machine): Promise<readonly string[]> {
  const pids = ((await machine.names('/proc')) ?? []).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => machine.text(`/proc/${pid}/cmdline`).catch(() => null)));
  return lines.map((line) => (line ?? '').split('\0').slice(0, WORDS_MAX).join('\0'));
}

/** An interpreter, its script, and what they are. */
const WORDS_MAX = 3;
