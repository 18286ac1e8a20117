/**
 * `demo`: a fleet of three simulated hosts, from start to end, told as a story.
 *
 * It takes no settings, so that it cannot meet a real fleet. What it leaves stays in a folder of
 * its own, for the reader to look at with the commands that it names.
 */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Plot, readPlot } from '../demo/plot.ts';
import { journalsAreReplayed } from '../demo/records.ts';
import { Screen } from '../demo/screen.ts';
import { Stage } from '../demo/stage.ts';
import {
  agentIsKilled,
  type Chapter,
  deviceDisappears,
  devicesAppear,
  hostsStart,
  refusalPasses,
  uuidIsGivenBack,
  uuidIsTaken,
} from '../demo/story.ts';
import type { Outcome } from '../exit.ts';

/** In a checkout; what is published is called by its name. */
const PROGRAM = fileURLToPath(new URL('../../bin/mdevfleet', import.meta.url));

const CHAPTERS: readonly Chapter[] = [
  hostsStart,
  devicesAppear,
  refusalPasses,
  uuidIsTaken,
  deviceDisappears,
  agentIsKilled,
  uuidIsGivenBack,
  journalsAreReplayed,
];

export async function demo(): Promise<Outcome> {
  const screen = new Screen(process.stdout);
  const plot = await readPlot();
  const dir = mkdtempSync(join(tmpdir(), 'mdevfleet-demo-'));
  introduce(screen, dir);
  const stage = await Stage.open(dir, screen);
  try {
    for (const [index, { title, tell }] of CHAPTERS.entries()) {
      screen.chapter(index + 1, title);
      await tell(stage, plot);
    }
  } finally {
    await stage.close();
  }
  sayWhatNext(screen, dir, plot);
  return 'ok';
}

function introduce(screen: Screen, dir: string): void {
  screen.title('mdevfleet: three hosts, one fleet');
  screen.say(
    'An agent on every host keeps its mediated devices as they are declared. Here the kernels are simulated, and ' +
      'a folder stands in for the NATS server; the rest is what runs on a real fleet.',
  );
  screen.say(`DIR is ${dir}`);
}

function sayWhatNext(screen: Screen, dir: string, { hero, rival }: Plot): void {
  const program = programName();
  screen.title('Try next');
  screen.say('Look at what every host reported last:');
  screen.command(`${program} get devices --data ${dir}`);
  screen.say(`Start ${rival} again, on a simulated machine that has just booted, until Ctrl-C:`);
  screen.command(`${program} agent --host ${rival} --data ${dir} --simulate`);
  screen.say('While it runs, withdraw the device in another terminal:');
  screen.command(`${program} delete --data ${dir} ${hero.uuid}`);
  screen.say('When you have seen enough:');
  screen.command(`rm -r ${dir}`);
}

function programName(): string {
  if (!existsSync(PROGRAM)) return 'mdevfleet';
  const path = relative(process.cwd(), PROGRAM);
  return path.includes('/') ? path : `./${path}`;
}
