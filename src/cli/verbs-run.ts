/**
 * The programs of a host, and what is done to its journal.
 */
import { Argument, Option } from 'commander';
import { FLEET, json, type VerbSpec } from './verb-spec.ts';

export const RUN: readonly VerbSpec[] = [
  {
    name: 'agent',
    about: 'Look after the devices of one host until it is stopped.',
    example: 'mdevfleet agent --host host-a --data /var/lib/mdevfleet --nats nats://10.0.0.1:4222',
    settings: ['host', ...FLEET, 'sysfs', 'simulate', 'labels', 'hooks', 'listen', 'logLevel'],
    load: async () => (await import('./agent.ts')).agent,
  },
  {
    name: 'doctor',
    about:
      'Look at this machine and at the fleet as it is reached from here, and say what is wrong and its cure. It changes nothing. Ends with 0 if nothing is wrong, 16 with warnings, 17 with faults.',
    example:
      'mdevfleet doctor --config /etc/mdevfleet/config.yaml\n' +
      '  mdevfleet doctor host\n' +
      '  mdevfleet doctor fleet --nats nats://10.0.0.1:4222',
    settings: ['host', ...FLEET, 'sysfs', 'simulate', 'hooks'],
    args: [new Argument('[part]', 'what to look at (default: both)').choices(['host', 'fleet'])],
    flags: [new Option('-o, --output <form>', 'how to show it').choices(['table', 'json', 'yaml']), json()],
    load: async () => (await import('./doctor.ts')).doctor,
  },
  {
    name: 'verify',
    about:
      "Check a host's journal, or an exported one: every record, the chain, the checkpoints, and what was folded.",
    example:
      'mdevfleet verify --host host-a --data ./data --against-stream\n' +
      '  mdevfleet verify --file host-a.ndjson.gz --public-key host-a.pem --checkpoint host-a.note',
    settings: ['host', ...FLEET],
    flags: [
      new Option('-f, --file <path>', 'an exported journal, or an archived segment, instead'),
      new Option('--checkpoint <path>', 'a checkpoint that was kept elsewhere'),
      new Option('--public-key <path>', "the host's public key, in PEM"),
      new Option('--against-stream', 'also against what the fleet was told'),
      json(),
    ],
    load: async () => (await import('./verify.ts')).verify,
  },
  {
    name: 'checkpoint',
    about: "Sign where a host's journal ends, for safekeeping elsewhere; print the note, or the public key.",
    example: 'mdevfleet checkpoint --host host-a --data /var/lib/mdevfleet > host-a.note',
    settings: ['host', 'data'],
    flags: [new Option('--public-key', 'print the public key that notes are checked with, in PEM')],
    load: async () => (await import('./checkpoint.ts')).checkpoint,
  },
  {
    name: 'rebuild',
    about: "Make a host's lost journal again from what the fleet has of it; its agent must not run.",
    example: 'mdevfleet rebuild --host host-a --data /var/lib/mdevfleet --nats nats://10.0.0.1:4222',
    settings: ['host', ...FLEET],
    flags: [json()],
    load: async () => (await import('./rebuild.ts')).rebuild,
  },
  {
    name: 'journal',
    about:
      "Move old records of a host's journal into packed segments beside it, which go on being read; its agent must not run.",
    example:
      'mdevfleet journal archive --before 2026-01-01T00:00:00Z --host host-a --data /var/lib/mdevfleet',
    settings: ['host', 'data'],
    args: [new Argument('<what>', 'what to do').choices(['archive'])],
    flags: [
      new Option('--before <time|seq>', 'move what is older than this time, RFC 3339, or this record'),
      json(),
    ],
    load: async () => (await import('./journal.ts')).journal,
  },
  {
    name: 'kernel',
    about: 'Serve a simulated kernel that outlives the agents on it, until it is stopped.',
    example: 'mdevfleet kernel --socket ./host-a.sock',
    settings: [],
    flags: [
      new Option('--socket <path>', 'Unix socket to serve it on').makeOptionMandatory(),
      new Option('-f, --file <path>', 'its parents and faults in YAML or JSON (default: a small machine)'),
    ],
    load: async () => (await import('./kernel.ts')).kernel,
  },
  {
    name: 'demo',
    about: 'Show a fleet of three simulated hosts at work, from start to end, in a few seconds.',
    example: 'mdevfleet demo',
    settings: [],
    load: async () => (await import('./demo.ts')).demo,
  },
];
