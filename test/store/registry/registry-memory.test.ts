/** The registry in memory, by the contract. */
import { MemoryRegistry } from '../../../store/registry/registry-memory.ts';
import { registryContract } from './registry.contract.ts';

registryContract('memory', async () => {
  const registry = new MemoryRegistry(() => '2026-01-01T00:00:00.000Z');
  return { client: async () => registry, close: () => registry.close() };
});
