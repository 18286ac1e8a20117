/** What a caller of the registry does about a write in flight: it asks again. */
import { RegistryUnavailable } from '../../../store/registry/registry.ts';

/** Asks again while another write of the key is in flight, which passes; a registry that is away is an answer. */
export async function cleared<T extends { readonly kind: string }>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await ask();
    const isInFlight =
      answer.kind === 'unknown' && 'cause' in answer && !(answer.cause instanceof RegistryUnavailable);
    if (!isInFlight) return answer;
  }
}
