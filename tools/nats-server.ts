/**
 * Finds the nats-server binaries that tests, benches and the demo of a real server run: the newest that Debian offers
 * and the least that mdevfleet supports. The machine's own package is never taken unasked: an older server ignores
 * newer settings in silence, and a test on it would prove nothing.
 *
 * A binary comes out of a Debian package, without root: apt gets lists and cache in a folder of its own and sources
 * made from the machine's own by replacing the suite's name, so no mirror is written down here. The result stays in
 * .cache/ until that folder is deleted.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export type NatsServerVersion = 'newest' | 'least';

export type NatsServer = { readonly path: string; readonly version: string };

/** Where to look, best first. A suite in motion may list a version whose file is already gone. */
const SUITES: Readonly<Record<NatsServerVersion, readonly string[]>> = {
  newest: ['sid', 'testing', 'trixie'],
  least: ['trixie'],
};
/** Names a binary to use instead of a downloaded one. */
const VARIABLES = { newest: 'NATS_SERVER', least: 'NATS_SERVER_LEAST' } as const;
const CACHE = join(dirname(import.meta.dirname), '.cache', 'nats-server');
/** The machine's own entry for Debian's main archive: a base that ends in /debian, perhaps at a date. */
const MAIN_ARCHIVE = /^'(\S+\/debian(?:\/\d{8}T\d{6}Z)?)\/dists\/[a-z]+\/main\/binary-/m;

const run = promisify(execFile);

/**
 * The path of a nats-server of that version, downloaded when it is not cached yet. Several processes may ask at once.
 * @throws if there is no such binary, naming what to install or to set.
 */
export async function natsServer(which: NatsServerVersion): Promise<NatsServer> {
  const given = process.env[VARIABLES[which]];
  if (given !== undefined) return identify(given);
  const path = join(CACHE, which, 'nats-server');
  if (!(await exists(path))) {
    await mkdir(CACHE, { recursive: true });
    await locked(join(CACHE, 'lock'), async () => {
      if (!(await exists(path))) await download(which);
    });
  }
  return identify(path);
}

/** Keeps other processes out meanwhile. The lock ends with this process, however that ends. */
async function locked(file: string, work: () => Promise<void>): Promise<void> {
  const holder = spawn('flock', [file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(holder, 'spawn');
  await once(holder.stdout, 'data');
  try {
    await work();
  } finally {
    holder.stdin.end();
  }
}

async function identify(path: string): Promise<NatsServer> {
  const { stdout } = await run(path, ['--version']);
  const version = /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  if (version === undefined) throw new Error(`${path} does not say its version, but: ${stdout}`);
  return { path, version };
}

async function download(which: NatsServerVersion): Promise<void> {
  const archive = await mainArchive(which);
  const failures: unknown[] = [];
  for (const suite of SUITES[which]) {
    const scratch = await mkdtemp(join(CACHE, `.${suite}-`));
    try {
      await fetchPackage(scratch, archive, suite);
      const binaries = join(scratch, 'package', 'usr', 'sbin');
      await identify(join(binaries, 'nats-server'));
      await rename(binaries, join(CACHE, which));
      return;
    } catch (cause) {
      failures.push(new Error(`nats-server of Debian ${suite}`, { cause }));
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  throw new AggregateError(failures, `No nats-server could be downloaded; ${wayOut(which)}`);
}

async function mainArchive(which: NatsServerVersion): Promise<string> {
  const listing = await run('apt-get', ['update', '--print-uris']).catch((cause: unknown) => {
    throw new Error(`Downloading nats-server needs apt-get and dpkg; ${wayOut(which)}`, { cause });
  });
  const archive = MAIN_ARCHIVE.exec(listing.stdout)?.[1];
  if (archive === undefined) {
    throw new Error(`The machine's apt sources have no entry for Debian's main archive; ${wayOut(which)}`);
  }
  return archive;
}

function wayOut(which: NatsServerVersion): string {
  const version = which === 'newest' ? 'the newest release' : 'release 2.10.27';
  return `install ${version} of nats-server and set ${VARIABLES[which]} to the path of its binary.`;
}

/** Leaves the unpacked package in `<scratch>/package`. */
async function fetchPackage(scratch: string, archive: string, suite: string): Promise<void> {
  const config = join(scratch, 'apt.conf');
  await mkdir(join(scratch, 'lists', 'partial'), { recursive: true });
  await mkdir(join(scratch, 'cache', 'archives', 'partial'), { recursive: true });
  await writeFile(join(scratch, 'sources.list'), `deb ${archive} ${suite} main\n`);
  await writeFile(join(scratch, 'status'), '');
  await writeFile(config, aptConfig(scratch));
  const apt = (...args: string[]) =>
    run('apt-get', ['--config-file', config, '--quiet', ...args], { cwd: scratch });
  await apt('update', '--error-on=any');
  await apt('download', 'nats-server');
  const file = (await readdir(scratch)).find((name) => name.endsWith('.deb'));
  if (file === undefined) throw new Error(`apt-get download left no package in ${scratch}`);
  await run('dpkg', ['--extract', join(scratch, file), join(scratch, 'package')]);
}

/** Read last, so it overrides the machine's own settings, which stay in force for proxies and credentials. */
function aptConfig(scratch: string): string {
  return `Dir::Etc::SourceList "${scratch}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "${scratch}";
Dir::State::Lists "${scratch}/lists";
Dir::State::Status "${scratch}/status";
Dir::Cache "${scratch}/cache";
Acquire::Languages "none";
Acquire::PDiffs "false";
APT::Sandbox::User "root";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

if (import.meta.main) {
  for (const which of ['newest', 'least'] as const) {
    const { path, version } = await natsServer(which);
    console.log(`${which}\t${version}\t${path}`);
  }
}
