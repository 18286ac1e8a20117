import { expect, test } from 'vitest';
import { AnswerForbidden } from '../../../events/presence.ts';
import { StreamMissing, StreamUnavailable } from '../../../events/stream.ts';
import { FleetNews } from '../../../src/agent/fleet-news.ts';

test('each reason is told once until the fleet was reached again; what needs an operator is a warning', () => {
  const said: string[] = [];
  const say = (level: string) => (_fields: object, message: string) => void said.push(`${level} ${message}`);
  const news = new FleetNews({
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
  });
  news.connection('down');
  for (let attempt = 0; attempt < 3; attempt += 1) news.fault(new StreamUnavailable('away'));
  expect(said.splice(0)).toEqual(['info fleet not reached']);
  news.fault(new StreamMissing('no stream'));
  news.fault('no stream');
  expect(said.splice(0)).toEqual(['warn fleet not reached']);
  for (let asked = 0; asked < 3; asked += 1) news.fault(new AnswerForbidden({ cause: `_INBOX.${asked}` }));
  expect(said.splice(0)).toEqual(['warn presence cannot be told']);
  news.connection('up');
  news.fault(new StreamUnavailable('no stream'));
  expect(said).toEqual(['info fleet reached', 'info fleet not reached']);
});
