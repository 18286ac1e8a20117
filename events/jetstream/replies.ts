/**
 * One request to the server that has many replies, as JetStream's batches have.
 *
 * The client library's own ways either take an empty message, or one to which its publisher gave a
 * status, for the end, or wait for ever when the connection goes. Here the caller decides what the
 * end is, and whatever else can happen is an error.
 */
import { createInbox, type Msg, PermissionViolationError, type Subscription, TimeoutError } from 'nats';
import type { Uplink } from './uplink.ts';

/** Looks at a reply; true when it was the last. What it throws ends the request. */
export type Take = (reply: Msg) => boolean;

/**
 * Publishes the request and hands over its replies until `take` has had the last. Throws what
 * `take` threw, or why there are no more: silence for a time-out, a lost connection, a refusal.
 */
export function replies(uplink: Uplink, subject: string, request: object, take: Take): Promise<void> {
  const { connection } = uplink.session();
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(uplink, subject, take, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
    const inbox = createInbox();
    exchange.subscription = connection.subscribe(inbox, {
      callback: (error, reply) => exchange.heard(error, reply),
    });
    connection.publish(subject, JSON.stringify(request), { reply: inbox });
  });
}

class Exchange {
  subscription: Subscription | null = null;
  readonly #uplink: Uplink;
  readonly #take: Take;
  readonly #ended: (error: unknown) => void;
  readonly #ignoreFaults: () => void;
  #cancelTimer: () => void;
  #heard = 0;

  constructor(uplink: Uplink, subject: string, take: Take, ended: (error: unknown) => void) {
    this.#uplink = uplink;
    this.#take = take;
    this.#ended = ended;
    this.#ignoreFaults = uplink.onFault((fault) => {
      const elsewhere = fault instanceof PermissionViolationError && fault.subject !== subject;
      if (!elsewhere) this.#end(fault);
    });
    this.#cancelTimer = this.#watch(0);
  }

  heard(error: Error | null, reply: Msg): void {
    this.#heard += 1;
    try {
      if (error !== null) this.#end(error);
      else if (this.#take(reply)) this.#end(null);
    } catch (thrown) {
      this.#end(thrown);
    }
  }

  /** Ends the exchange when a whole time-out passes without a reply. */
  #watch(heardBefore: number): () => void {
    return this.#uplink.after(this.#uplink.timeoutMs, () => {
      if (this.#heard === heardBefore) this.#end(new TimeoutError());
      else this.#cancelTimer = this.#watch(this.#heard);
    });
  }

  #end(error: unknown): void {
    this.#cancelTimer();
    this.#ignoreFaults();
    this.subscription?.unsubscribe();
    this.#ended(error);
  }
}
