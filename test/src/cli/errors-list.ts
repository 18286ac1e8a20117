/**
 * Every error that people can cause from the command line: what is wrong, the command, how it ends, what it says of the
 * operation and the object, and of the way out.
 *
 * docs/errors.md is made of it. What can be thrown without being here is in error-sites.ts, with the reason.
 */
import { EXIT, type Outcome } from '../../../src/exit.ts';
import { DECLARED, TWICE } from './errors-world.ts';

export type Line = {
  readonly wrong: string;
  /** As a shell takes it, after `mdevfleet`; variables may come first. */
  readonly command: string;
  readonly outcome: Outcome;
  readonly says: readonly string[];
  readonly wayOut: string;
};

/** What stands for UUIDs in the list. */
const NAMES: Readonly<Record<string, string>> = {
  DECLARED,
  TWICE,
  UNKNOWN: '5d3c7e0a-2f51-4b1e-9a44-0c8a6f1e2b99',
};

/** Of what it says, several parts are separated by &. */
const LIST = `
# the command line
no verb |  | usage | Usage: mdevfleet | apply
an unknown verb | aply | usage | unknown command 'aply' | Did you mean apply?
an unknown flag | apply -f x --replac | usage | unknown option '--replac' | Did you mean --replace?
a flag that is missing | plan | usage | -f, --file | plan --help
a flag without its value | apply -f | usage | '-f, --file <path>' argument missing | apply --help
an argument that is missing | retry | usage | missing required argument 'uuid' | retry --help
an argument too many | init now | usage | too many arguments | init --help
an unknown thing | get host | usage | 'host' is invalid | Allowed choices are devices, conflicts
an unknown state | get devices --state odd | usage | 'odd' is invalid | Allowed choices are ready
an unknown shell | completion cmd | usage | 'cmd' is invalid | bash, zsh, fish
an unknown reason | explain NoCapacty | usage | explaining NoCapacty | did you mean NoCapacity?

# settings
no fleet | get devices | usage | neither a server nor a folder | --data DIR
a wrong server | get devices --nats http://a | usage | --nats:  | correct what is named
a wrong variable | MDEVFLEET_PREFIX='a b' get devices --data fleet | usage | MDEVFLEET_PREFIX:  | correct what is named
a wrong value in a file | get devices --config wrong-config.yaml | usage | wrong-config.yaml: host:  | correct
unknown keys in a file | get devices --config unknown-config.yaml | usage | no setting hots & no limit resyncS | correct what is named
a file without keys | get devices --config list-config.yaml | usage | expected keys and values | correct
no such file | get devices --config none.yaml | usage | the configuration file none.yaml | --config
two credentials | get devices --nats a --creds b --nkey c | usage | --creds and --nkey | keep one
a certificate without its key | get devices --nats a --tls-cert b | usage | --tls-key | give both
labels without values | agent --host a --data d --labels gpu | usage | --labels: labels are key=value | correct what is named
no host | agent --data fleet | usage | --host is missing | MDEVFLEET_HOST
no folder | agent --host host-a | usage | --data is missing | MDEVFLEET_DATA
two kernels | agent --host a --data d --sysfs /sys --simulate | usage | --sysfs and --simulate | keep one
two forms | get devices --data fleet --json -o wide | usage | --json and --output wide | keep one
a form of devices only | get hosts --data fleet -o mdevctl | usage | showing hosts | choose one of table
a time that is none | apply --data fleet -f mine.yaml --timeout soon | usage | --timeout: not a time: soon | as 90
no number of devices | apply --data fleet -f mine.yaml --max-removals few | usage | --max-removals | as 10%
a wrong source | apply --data fleet -f mine.yaml --source 'a b' | usage | --source | without blanks
a wrong number of servers | init --nats nats://site:4222 --replicas 9 | usage | --replicas | from 1 to 5
no number of milliseconds | rebind --data fleet --wait soon --reason 'r' host-a | usage | --wait | whole number

# manifests
nothing to apply | apply --data fleet | usage | either manifests or a plan | give -f PATH, or --plan FILE
flags that are in the plan | apply --data fleet --plan stale.plan --prune | usage | --prune and --take-over | leave them out
no plan | apply --data fleet --plan none.plan | input | reading the plan none.plan | mdevfleet plan --out
a plan that is none | apply --data fleet --plan mine.yaml | input | reading the plan mine.yaml: it is none | mdevfleet plan --out
a plan that the fleet has moved past | apply --data fleet --plan stale.plan | refused | moved past the plan | plan again
no manifest | apply --data fleet -f none.yaml | input | none.yaml & ENOENT | give -f
a folder without manifests | apply --data fleet -f empty | input | in empty: there are none | .yaml, .yml or .json
bytes that are not text | apply --data fleet -f bytes.yaml | input | the manifest bytes.yaml | UTF-8
text that is not YAML | apply --data fleet -f text.yaml | input | text.yaml, document 1, line 1 | correct what is listed
a wrong UUID | apply --data fleet -f uuid.yaml | input | uuid.yaml & 8-4-4-4-12 | nothing was published
an unknown field | apply --data fleet -f field.yaml | input | "colour" | correct what is listed
a parent that leaves its folder | apply --data fleet -f parent.yaml | input | parent | correct what is listed
a type that leaves its folder | apply --data fleet -f type.yaml | input | type | correct what is listed
a pool for which there is no host | apply --data fleet -f pool.yaml | input | pool desks & are agents running? | correct
devices of another set | apply --data fleet -f theirs.yaml | refused | DECLARED is declared by set mine | --take-over
devices that would move | apply --data fleet -f moved.yaml | refused | would be removed where they are | --replace
too many would go | apply --data fleet -f nothing.yaml --prune --max-removals 0 | refused | 1 devices would be removed, and 0 are allowed | --max-removals 1
nothing to delete | delete --data fleet | usage | either by UUID or with -f | delete --help
a wrong UUID to delete | delete --data fleet abc | usage | not a UUID: abc | 8-4-4-4-12
devices of which the host is not clear | delete --data fleet TWICE UNKNOWN | refused | is declared on host-a, host-b & UNKNOWN is declared on no host | --host

# fleets
a folder without a fleet | get devices --data empty | uninitialised | none in empty | mdevfleet init
a folder that is a file | init --data mine.yaml | unreachable | in mine.yaml/fleet | is writable
no server | get devices --nats nats://gone:4222 | unreachable | no NATS server answers | check the address
a server that is too old | get devices --nats nats://old:4222 | server | is 2.9.10 | upgrade it to
no JetStream | get devices --nats nats://ops:let-me-in@bare:4222 | server | has no JetStream | start it with JetStream
a wrong password | get devices --nats nats://ops:wrong@bare:4222 | server | refused who we are | check the credentials
no credentials | get devices --nats nats://gone:4222 --creds none.creds | server | reading none.creds | readable file
credentials that are none | get devices --nats nats://ops:let-me-in@bare:4222 --creds noise.creds | server | noise.creds | made for this
a server without TLS | get devices --nats tls://site:4222 | server | no TLS with | check the certificates
a server without streams | get devices --nats nats://site:4222 --prefix other | uninitialised | no such stream | mdevfleet init
a server without a registry | release --nats nats://site:4222 --prefix other DECLARED | uninitialised | no such bucket | mdevfleet init
more copies than servers | init --nats nats://site:4222 --prefix other --replicas 3 | server | making the stream | the server says
streams of another fleet | init --nats nats://site:4222 --prefix a_b | server | for the subjects a.b.desired | choose another prefix
a user who may not read | get devices --nats nats://nobody:nobody@site:4222 | server | this user may not | grant it in
a user who may not declare | apply --nats nats://guest:guest@site:4222 -f mine.yaml | incomplete | 1 of 1 devices are not done | run the same command again
a user who may not steer | pause --nats nats://guest:guest@site:4222 host-a | incomplete | not known whether every one was stored | asking twice

# mdevctl
no definitions | import mdevctl none --host host-a | input | definitions of mdevctl in none | /etc/mdevctl.d
definitions that cannot be declared | import mdevctl mdevctl.d --host host-a | input | DECLARED | import again
no name of a set | import mdevctl mdevctl.d --host host-a --set '' | usage | --set | 1 to 
several hosts | export mdevctl --data fleet | usage | host-a, host-b | --host
two folders | export mdevctl a --dir b --data fleet | usage | --dir b and a | name it once
a folder that cannot be written | export mdevctl --data fleet --host host-b --dir mine.yaml | incomplete | writing definitions to mine.yaml | run the same command again

# steering
a wrong host | pause --data fleet 'A B' | usage | not a host id: A B | lower case
a device that cannot be adopted | adopt --data fleet DECLARED | refused | is declared on host-a | unmanaged
a release without --force | release --data fleet DECLARED | refused | held by host host-a | add --force
a release without a reason | release --data fleet --force DECLARED | usage | no reason | add --reason TEXT
a release from another host | release --data fleet --force --reason r --host host-b DECLARED | refused | not held by host host-b, but held by host host-a | name the host that holds it
a registry that is not known to be whole | reopen --data fleet | refused | have not confirmed | add --yes
a host forgotten without --force | forget-host --data fleet host-a | refused | It holds 1 UUIDs | add --force
a host forgotten without a reason | forget-host --data fleet --force host-a | usage | forgetting host host-a: no reason | add --reason TEXT
a wrong parent | cordon --data fleet host-a .. | usage | not a parent's name: .. | mdevfleet get parents
a reason that fits no event | rebind --data fleet --reason 'so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so on' host-a | usage | the reason has 302 characters | at most 256 characters

# the past
a device that nobody knows | describe --data fleet UNKNOWN | usage | describing UNKNOWN | mdevfleet get devices
a moment that is none | replay --data past --at tuesday | usage | not a moment: tuesday | RFC 3339
a record of several hosts | replay --data past --at 4 | refused | each of host-a, host-b | --host
a declaration that nobody has recorded | replay --data past --at 1/77 | input | 1/77 | log --kind declared
two questions at once | replay --data past --check --manifest | usage | --check and --manifest | one of them
a moment in the wrong place | replay --data past 4 | usage | 4 is not expected | --at
one moment of two | replay --data past --diff 4 | usage | two moments | replay --diff A B
a time without its zone | log --data past --since tuesday | usage | --since is not a time | with its zone
two sources | log --data past --from stream --from journal | usage | stream and journal | only files
no journal to read | log --data empty --from journal | usage | there is none in empty | --host and --data
no file to read | log --from none.ndjson | input | none.ndjson | mdevfleet export journal
a file that is no export | log --from mine.yaml | damaged | reading mine.yaml | mdevfleet export journal
a journal of which the first record is gone | log --data headless --from journal | damaged | record 1 | verify
a past with a gap | replay --from gap.ndjson | damaged | record 5 is missing | mdevfleet verify
a check without a journal | replay --data past --check | usage | --check | --from journal
a check of a journal with a gap | replay --data gap --check --from journal --host host-a --sysfs empty | damaged | record 5 is missing | mdevfleet verify
a check of a kernel inside an agent | replay --data past --check --from journal --host host-a --simulate | usage | inside an agent's process | the socket of
a check of a kernel that does not answer | replay --data past --check --from journal --host host-a --simulate none.sock | host | no simulated kernel answers on none.sock | start it first
a check where no sysfs is | replay --data past --check --from journal --host host-a --sysfs empty | host | empty is not a sysfs | --sysfs

# journals
no journal to verify | verify --data empty --host host-a | usage | of host host-a | --host and --data
a journal with a gap | verify --data gap --host host-a | damaged | record 5 | from a backup
a record that was changed | verify --file changed.ndjson | damaged | record 3 | from a backup
no file to verify | verify --file none.ndjson | input | none.ndjson | a file that mdevfleet wrote
a checkpoint that is none | verify --host node-1 --data own --checkpoint mine.yaml | input | mine.yaml | mdevfleet checkpoint
a key that is none | verify --host node-1 --data own --public-key mine.yaml | input | the public key mine.yaml | checkpoint --public-key
a checkpoint of another journal | verify --data past --host host-a --checkpoint own.note --public-key own.pem | foreign | of journal journal-1 of host node-1 | a checkpoint of this journal
a checkpoint that another key has signed | verify --host node-1 --data own --checkpoint own.note --public-key other.pem | damaged | not signed with the key | the host's public key
a journal that is older than the fleet knows | verify --host node-1 --data own --file short.ndjson --against-stream | damaged | the fleet was told of 6 | mdevfleet rebuild
no key to sign with | checkpoint --data empty --host host-a | usage | checkpoint-key.pem | agent makes a key
no journal to sign | checkpoint --data keyed --host host-a | usage | there is none | --host and --data
a damaged journal to sign | checkpoint --data gap --host host-a | damaged | record 5 | nothing was signed
a file to write that is not named | export journal --data past --host host-a | usage | no file | .gz is packed
a file that is there already | export journal own.pem --host node-1 --data own | refused | own.pem is there | not there yet
no journal to export | export journal x.gz --data empty --host host-a | usage | none in empty | --data
a damaged journal to export | export journal x.gz --data gap --host host-a | damaged | record 5 | rebuild
a file that cannot be written | export journal none/x.gz --host node-1 --data own | unexpected | the machine refused & none/x.gz | check the path
a file to read that is not named | import journal --data new --host host-a | usage | no file | exported journal
no file to import | import journal none --data new --host host-a | input | reading none | exported journal
a damaged file to import | import journal changed.ndjson --data new --host node-1 | damaged | record 3 | another copy
a journal of another host | import journal own.ndjson --data new --host host-a | foreign | node-1 | --host node-1
a journal over another | import journal own.ndjson --host node-1 --data own | usage | there is a journal | move it away first
nothing to rebuild from | rebuild --data fleet --host host-z | input | host-z | check --host
a time before which nothing is | journal archive --before tuesday --host node-1 --data own | usage | --before | RFC 3339
no journal to archive | journal archive --before 4 --data empty --host host-a | usage | none in empty | --data
a damaged journal to archive | journal archive --before 4 --data gap --host host-a | damaged | record 5 | nothing was moved
a journal in use | journal archive --before 4 --data locked --host host-a | locked | process 4711 | stop that agent

# agents and kernels
no flock | PATH=empty agent --host host-a --data new --simulate | host | flock is not installed | install util-linux
another agent's host | agent --host host-a --data fleet --simulate --log-level fatal | foreign | host-a | a host id of its own
an older copy of a journal | agent --host node-1 --data rolled --simulate --log-level fatal | damaged | an older copy that was put back | the newest copy
no sysfs | agent --host host-a --data new --sysfs none | host | sysfs in none | --sysfs
callout scripts that are not there | agent --host host-a --data new --simulate --hooks none | host | the callout scripts in none & ENOENT | only root can write
no kernel behind a socket | agent --host host-a --data new --simulate none.sock | host | none.sock | start it first
a damaged journal | agent --host host-a --data gap --simulate | damaged | record 5 | from a backup
a journal of a newer program | agent --host host-a --data newer --simulate | refused | newer program | rebuild
another host's journal | agent --host host-b --data misnamed --simulate | foreign | of host host-a | start it as
another machine's journal | agent --host node-1 --data own --simulate | foreign | another machine | rebind
a socket that cannot be made | kernel --socket none/socket | usage | on none/socket | --socket
a socket where a file is | kernel --socket mine.yaml | usage | on mine.yaml: something else is there | give another path
a kernel of unknown parts | kernel --socket socket -f kernel.yaml | input | kernel.yaml & parts | --file
`;

export const ERRORS: readonly Line[] = LIST.split('\n')
  .filter((text) => text !== '' && !text.startsWith('#'))
  .map(lineOf);

function lineOf(text: string): Line {
  const named = text.replace(/\b[A-Z]+\b/g, (word) => NAMES[word] ?? word);
  const [wrong = '', command = '', outcome = '', says = '', wayOut = ''] = named.split(' | ');
  if (!Object.hasOwn(EXIT, outcome)) throw new Error(`no outcome: ${text}`);
  return { wrong, command, outcome: outcome as Outcome, says: says.split(' & '), wayOut };
}
