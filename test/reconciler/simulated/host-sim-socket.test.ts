import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../../../reconciler/clock-system.ts';
import type { Change } from '../../../reconciler/host.ts';
import { actOnSimulatedKernel, connectSimulatedHost } from '../../../reconciler/simulated/host-sim-client.ts';
import {
  type SimulatedKernelServer,
  serveSimulatedKernel,
} from '../../../reconciler/simulated/host-sim-server.ts';
import { type KernelConfigInput, kernelConfig } from '../../../reconciler/simulated/kernel-sim-config.ts';
import { hostContract } from '../host.contract.ts';
import { CONTRACT_CONFIG, CONTRACT_DEADLINE_MS, simulatedWorld } from './host-sim-world.ts';

const A = '00000000-0000-4000-8000-00000000000a';
const P0 = { parent: 'p0', type: 'small' };
const LOOK = { place: P0, use: true };

let folder: string;
let socket: string;
const servers: SimulatedKernelServer[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mdevfleet-sim-'));
  socket = join(folder, 'kernel.sock');
});

afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
  await rm(folder, { recursive: true });
});

async function serve(config: Partial<KernelConfigInput> = {}): Promise<SimulatedKernelServer> {
  const whole = kernelConfig.parse({ ...CONTRACT_CONFIG, ...config });
  const parts = { socket, config: whole, clock: systemClock, random: systemRandom };
  const server = await serveSimulatedKernel({ ...parts, writeDeadlineMs: CONTRACT_DEADLINE_MS });
  servers.push(server);
  return server;
}

describe('the contract of a host, on a simulated kernel behind a socket', () => {
  hostContract(
    (name, body) => test(name, () => expect(body()).resolves.toBeUndefined()),
    async () => {
      const { kernel } = await serve();
      return simulatedWorld({
        kernel,
        open: () => connectSimulatedHost({ socket }),
        close: async () => undefined,
      });
    },
  );
});

describe('a simulated kernel as a process of its own', () => {
  test('outlives an agent: what that one had begun to write goes on, and is busy for the next', async () => {
    await serve({ probeMs: 200 });
    const first = await connectSimulatedHost({ socket });
    const written = first.create(A, P0);
    await expect.poll(async () => (await first.observe(A, LOOK)).kind).toBe('busy');
    await first.close();
    await expect(written).resolves.toMatchObject({ kind: 'errno', errno: 32 });
    const second = await connectSimulatedHost({ socket });
    expect(second.bootId).toBe(first.bootId);
    expect(await second.observe(A, LOOK)).toMatchObject({ kind: 'busy' });
    await expect.poll(async () => (await second.observe(A, LOOK)).kind).toBe('present');
    await second.close();
  });

  test('cuts agents off when it reboots, and has another boot id and no devices for the next', async () => {
    await serve();
    const host = await connectSimulatedHost({ socket });
    const told: Change[] = [];
    host.onChange((change) => told.push(change));
    expect(await host.create(A, P0)).toEqual({ kind: 'ok' });
    expect(await actOnSimulatedKernel(socket, { do: 'reboot' })).toEqual({ kind: 'done' });
    await expect.poll(async () => (await host.observe(A, LOOK)).kind).toBe('absent');
    expect(told).toContainEqual({ kind: 'unknown' });
    const next = await connectSimulatedHost({ socket });
    expect(next.bootId).not.toBe(host.bootId);
    await next.close();
    await host.close();
  });

  test('once it is gone, nothing can be read, and a write may or may not have happened', async () => {
    const server = await serve();
    const host = await connectSimulatedHost({ socket });
    await server.close();
    const message = `no simulated kernel answers on ${socket}: start it first`;
    expect(await host.observe(A, LOOK)).toEqual({ kind: 'unreadable', errno: null, message });
    expect(await host.survey()).toEqual({ kind: 'unreadable', errno: null, message });
    expect(await host.create(A, P0)).toEqual({ kind: 'errno', errno: 32, call: 'write', file: socket });
    await host.close();
    await expect(connectSimulatedHost({ socket })).rejects.toThrow(message);
  });

  test('lets its operator act behind the back of agents', async () => {
    await serve();
    const act = (what: Parameters<typeof actOnSimulatedKernel>[1]) => actOnSimulatedKernel(socket, what);
    expect(await act({ do: 'create', uuid: A, place: P0 })).toEqual({ kind: 'ok' });
    await act({ do: 'hold', uuid: A });
    await expect(act({ do: 'hold', uuid: A })).rejects.toThrow('cannot be opened');
    const host = await connectSimulatedHost({ socket });
    expect(await host.observe(A, LOOK)).toMatchObject({ kind: 'present', use: { kind: 'in-use' } });
    await act({ do: 'release', uuid: A });
    expect(await act({ do: 'list' })).toMatchObject({
      kind: 'listing',
      listing: {
        bootId: host.bootId,
        devices: [{ uuid: A, phase: 'complete', attributes: [] }],
        parents: [{}, {}, {}],
      },
    });
    await act({ do: 'unplug', parent: 'p0' });
    expect(await host.observe(A, LOOK)).toEqual({ kind: 'absent', room: { kind: 'parent-absent' } });
    await act({ do: 'plug', parent: 'p0' });
    expect(await act({ do: 'remove', uuid: A })).toMatchObject({ kind: 'errno', errno: 2 });
    await expect(act({ do: 'unplug', parent: 'p9' })).rejects.toThrow('no parent p9');
    await host.close();
  });

  test('answers a question that it does not understand, and ends a talk that is none', async () => {
    await serve();
    const heard: string[] = [];
    const stranger = connect(socket).setEncoding('utf8');
    stranger.on('data', (text: string) => heard.push(text));
    stranger.write(
      '{"id":7,"question":{"call":"create","uuid":"../../x","place":{"parent":"p0","type":"small"}}}\n',
    );
    await expect.poll(() => heard.join('')).toContain('"id":7,"error":"uuid');
    stranger.write('GET / HTTP/1.1\n');
    await once(stranger, 'close');
    expect(await (await connectSimulatedHost({ socket })).close()).toBeUndefined();
  });
});

describe('the socket', () => {
  test('is not taken from somebody who answers on it', async () => {
    await serve();
    await expect(serve()).rejects.toThrow(`cannot serve a simulated kernel on ${socket}: another`);
    const host = await connectSimulatedHost({ socket });
    expect(await host.survey()).toEqual({ kind: 'devices', devices: [] });
    await host.close();
  });

  test('of a killed process is replaced, and taken away at the end', async () => {
    const script = `require('node:net').createServer().listen(process.argv[1], () => console.log('up'))`;
    const child = spawn(process.execPath, ['-e', script, socket], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(existsSync(socket)).toBe(true);
    const server = await serve();
    const host = await connectSimulatedHost({ socket });
    expect(await host.survey()).toEqual({ kind: 'devices', devices: [] });
    await host.close();
    await server.close();
    expect(existsSync(socket)).toBe(false);
  });

  test('that cannot be made is told, with a way out', async () => {
    socket = join(folder, 'none', 'kernel.sock');
    await expect(serve()).rejects.toThrow('give a path in a folder that exists');
  });

  test('on which somebody else talks ends the client, not its process', async () => {
    const server = createServer((one) => one.end('220 mail.example ESMTP\n')).listen(socket);
    await once(server, 'listening');
    await expect(connectSimulatedHost({ socket })).rejects.toThrow('no simulated kernel answers');
    server.close();
  });
});
