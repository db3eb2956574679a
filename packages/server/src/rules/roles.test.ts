/** What is remembered of roles: the newest answer, and only of those that rules name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallerPermissions, Decision } from '@thingkeep/wire/api/authorization.ts';
import { pino } from 'pino';
import { KnownRoles } from './roles.ts';

const place = { accountId: '1', region: 'r' };
const deciding = (effect: Decision['effect']): CallerPermissions => ({ decide: () => ({ effect }) });

test('only the answer to the newest question counts, however late another comes', async () => {
  const answers: ((found: 'unknown-role' | CallerPermissions) => void)[] = [];
  let changed: (accountId: string) => void = () => assert.fail('nobody listens');
  const roles = new KnownRoles({
    find: () => new Promise((resolve) => answers.push(resolve)),
    onChange: (listener) => {
      changed = listener;
      return () => undefined;
    },
    log: pino({ level: 'silent' }),
  });
  const first = roles.learn('1', 'role');
  changed('1');
  assert.equal(roles.permissionsOf(place, 'role')?.may('iot:Publish', 't'), false);
  answers[1]?.(deciding('EXPLICIT_DENY'));
  answers[0]?.(deciding('ALLOWED'));
  await first;
  assert.equal(roles.permissionsOf(place, 'role')?.may('iot:Publish', 't'), false);
  changed('1');
  answers[2]?.(deciding('ALLOWED'));
  await new Promise(setImmediate);
  assert.equal(roles.permissionsOf(place, 'role')?.may('iot:Publish', 't'), true);
});

test('a role that no rule names any more is forgotten, and may do nothing', async () => {
  const roles = new KnownRoles({
    find: () => Promise.resolve(deciding('ALLOWED')),
    onChange: () => () => undefined,
    log: pino({ level: 'silent' }),
  });
  await roles.learn('1', 'kept');
  await roles.learn('1', 'dropped');
  roles.retain('1', new Set(['kept']));
  assert.equal(roles.permissionsOf(place, 'kept')?.may('iot:Publish', 't'), true);
  assert.equal(roles.permissionsOf(place, 'dropped')?.may('iot:Publish', 't'), false);
});
