/**
 * A program that tests start and kill: appends for ever to the journal in the folder that it is given, several
 * appends a turn, and prints sequence and hash of every record once it was told that it is durable.
 */
import { writeSync } from 'node:fs';
import { openJournal } from '../../../store/journal/journal-lmdb.ts';
import { declared, durable, makeStamp, OWN, UUID } from './journal-fixture.ts';

const APPENDS_PER_TURN = 5;
const STDOUT = 1;

const [dir = ''] = process.argv.slice(2);
const journal = await openJournal({ ...OWN, dir, create: 'journal-1', stamp: makeStamp() });
for (let n = journal.tail().seq; ; n += APPENDS_PER_TURN) {
  const turn = Array.from({ length: APPENDS_PER_TURN }, (_, index) => declared(UUID, n + index));
  const results = await Promise.all(turn.map((fact) => journal.append({ facts: [fact] })));
  for (const { seq, hash } of results.flatMap(durable)) writeSync(STDOUT, `${seq} ${hash}\n`);
}
