/**
 * A program that tests start and kill: locks the journal in the folder that it is given, starts a helper that
 * outlives it, prints the helper's process id, and stays.
 */
import { spawn } from 'node:child_process';
import { lockJournal } from '../../../store/journal/lock.ts';

const [dir = ''] = process.argv.slice(2);
lockJournal(dir, { pid: process.pid, host: 'node-1', since: '2026-01-01T00:00:00.000Z' });
const helper = spawn('sleep', ['600'], { stdio: 'ignore', detached: true });
console.log(helper.pid);
process.stdin.resume();
