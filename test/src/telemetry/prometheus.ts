/**
 * A real Prometheus that scrapes one agent, each second.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { z } from 'zod';
import { prometheusTools } from '../../../tools/prometheus.ts';
import { RULES_FILE } from './handed-out.ts';

const answer = z.object({
  status: z.literal('success'),
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});

const rules = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(
          z.object({
            name: z.string(),
            health: z.string(),
            state: z.string(),
            lastError: z.string().optional(),
          }),
        ),
      }),
    ),
  }),
});

/** How an alert stands: `health` is `ok` once its expression was evaluated without an error. */
export type AlertState = z.infer<typeof rules>['data']['groups'][number]['rules'][number];

export class Prometheus {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #url: string;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.#ended = once(process, 'exit');
    this.#url = `http://127.0.0.1:${port}`;
  }

  /** Starts one in the folder; resolves when it answers. */
  static async start(folder: string, port: number, target: string): Promise<Prometheus> {
    const { prometheus } = await prometheusTools();
    const scrape = { job_name: 'mdevfleet', static_configs: [{ targets: [target] }] };
    const global = { scrape_interval: '1s', evaluation_interval: '1s' };
    const config = join(folder, 'prometheus.json');
    writeFileSync(config, JSON.stringify({ global, rule_files: [RULES_FILE], scrape_configs: [scrape] }));
    const args = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ];
    const started = spawn('setpriv', ['--pdeathsig', 'KILL', prometheus, ...args], { stdio: 'inherit' });
    const running = new Prometheus(started, port);
    await vi.waitFor(() => running.#get('/-/ready'), { timeout: 30_000, interval: 100 });
    return running;
  }

  /** The values that an expression has now; none where there are no data. */
  async query(expr: string): Promise<readonly number[]> {
    const response = await this.#get(`/api/v1/query?query=${encodeURIComponent(expr)}`);
    const { result } = answer.parse(await response.json()).data;
    return result.map(({ value: [, text] }) => Number(text));
  }

  /** Waits until an expression has that value. */
  async until(expr: string, value: number): Promise<void> {
    const holds = async () => expect(await this.query(expr)).toEqual([value]);
    await vi.waitFor(holds, { timeout: 30_000, interval: 200 });
  }

  async alerts(): Promise<readonly AlertState[]> {
    const response = await this.#get('/api/v1/rules');
    return rules.parse(await response.json()).data.groups.flatMap((group) => group.rules);
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }

  async #get(path: string): Promise<Response> {
    const response = await fetch(`${this.#url}${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response;
  }
}
