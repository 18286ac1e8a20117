/**
 * The pages of an agent: /metrics, /healthz and /readyz over HTTP, for whoever may reach the address that was given.
 *
 * It serves whoever asks and changes nothing. An address that is taken keeps no agent from its work: that is told once,
 * and tried again now and then.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Cancel, Clock } from '../../reconciler/clock.ts';
import type { AgentLog } from '../agent/agent.ts';
import type { Listen } from './listen.ts';

export type Page = { readonly status: number; readonly type: string; readonly body: string };

/** The pages by their paths. */
export type Pages = Readonly<Record<string, () => Promise<Page> | Page>>;

export type PageServerParts = {
  readonly listen: Listen;
  readonly pages: Pages;
  readonly clock: Clock;
  readonly log: AgentLog;
};

/** Connections at a time: a few who scrape, and a probe. Others are closed at once. */
const CONNECTIONS_MAX = 16;
/** Time for a request to be there as a whole, and its header. */
const REQUEST_MS_MAX = 5_000;
const HEADER_BYTES_MAX = 8 * 1024;
/** Time after which an address that is taken is tried again. */
const RETRY_MS = 30_000;

const TEXT = 'text/plain; charset=utf-8';

export class PageServer {
  readonly #parts: PageServerParts;
  #server: Server | undefined;
  #cancelRetry: Cancel = () => {};
  #isOpen = true;
  #wasTold = false;

  constructor(parts: PageServerParts) {
    this.#parts = parts;
  }

  /** Listens, or will as soon as the address is free. Resolves after the first attempt, with the address if it listens. */
  async start(): Promise<AddressInfo | null> {
    const { listen, clock, log } = this.#parts;
    const server = this.#create();
    try {
      server.listen(listen);
      await once(server, 'listening');
    } catch (error) {
      if (!this.#wasTold) log.warn({ listen, err: error }, 'metrics and health are not served');
      this.#wasTold = true;
      if (this.#isOpen) this.#cancelRetry = clock.after(RETRY_MS, () => void this.start());
      return null;
    }
    this.#server = server;
    if (!this.#isOpen) await this.stop();
    const address = server.address() as AddressInfo;
    log.info({ address: address?.address, port: address?.port }, 'metrics and health are served');
    return address;
  }

  async stop(): Promise<void> {
    this.#isOpen = false;
    this.#cancelRetry();
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  #create(): Server {
    const limits = {
      headersTimeout: REQUEST_MS_MAX,
      requestTimeout: REQUEST_MS_MAX,
      connectionsCheckingInterval: REQUEST_MS_MAX,
      maxHeaderSize: HEADER_BYTES_MAX,
    };
    const server = createServer(limits, (request, response) => void this.#answer(request, response));
    server.maxConnections = CONNECTIONS_MAX;
    return server;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, body } = await this.#page(request);
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
    response.end(request.method === 'HEAD' ? '' : body);
  }

  async #page({ method, url = '' }: IncomingMessage): Promise<Page> {
    const { pages, log } = this.#parts;
    const [path = ''] = url.split('?');
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (page === undefined) return text(404, `there are ${Object.keys(pages).join(', ')}`);
    if (method !== 'GET' && method !== 'HEAD') return text(405, 'only GET and HEAD are answered');
    try {
      return await page();
    } catch (error) {
      log.error({ path, err: error }, 'a page could not be made');
      return text(500, 'this page could not be made; the log says why');
    }
  }
}

/** A page of one line. */
export function text(status: number, line: string): Page {
  return { status, type: TEXT, body: `${line}\n` };
}
