/** That a guest is a place where a nats-server can be run and reached: the agent needs no other network. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { startNats } from '../nats.ts';
import type { Scenario } from './scenario.ts';

export const scenario: Scenario = {
  module: import.meta.url,
  cases: {
    'a nats-server runs in the guest and greets on its loopback interface': async () => {
      const server = await startNats();
      const socket = connect(server.port, '127.0.0.1');
      const [greeting] = await once(socket, 'data');
      socket.destroy();
      await server.stop();
      assert.match(String(greeting), /^INFO \{.*"jetstream":true/);
    },
    'the host’s network is out of reach': async () => {
      assert.equal(hostname(), 'guest');
      const [error] = await once(connect(53, '192.0.2.1'), 'error');
      assert.equal((error as NodeJS.ErrnoException).code, 'ENETUNREACH');
    },
  },
};
