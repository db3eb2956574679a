/** Limits and rates of accounts in the config file: read whole, or refused in one line. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LIMITS, RATES } from '@thingkeep/wire/limits.ts';
import fc from 'fast-check';
import { DEFAULT_LIMITS } from '../broker/routing/account-limits.ts';
import { NO_RATES } from '../broker/routing/rates.ts';
import { limitsAndRates, readAccounts } from './accounts.ts';
import { readConfig, readFlags } from './config.ts';
import { ConfigError } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkeep-accounts-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const ONE = '123456789012';
const TWO = '210987654321';

const fault = (value: unknown): string => {
  try {
    readAccounts(value);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.message.includes('\n'), false);
    return error.message;
  }
  return 'none';
};

test('an account has what is said of it, then what is said of all, then the default', () => {
  const accounts = readAccounts({
    [ONE]: { sessionExpiry: 604_800, publishesPerConnection: 0 },
    '*': { sessionExpiry: 60, queuedMessages: 1000, publishesPerConnection: 500 },
  });
  const { limitsOf, ratesOf } = limitsAndRates(accounts, 'none');
  assert.deepEqual(limitsOf(ONE), { sessionExpiry: 604_800, queuedMessages: 1000 });
  assert.deepEqual(limitsOf(TWO), { sessionExpiry: 60, queuedMessages: 1000 });
  assert.deepEqual(ratesOf(ONE), { publishesPerConnection: 0 });
  assert.deepEqual(ratesOf(TWO), { publishesPerConnection: 500 });
  assert.deepEqual(limitsAndRates(accounts, 'aws').ratesOf(TWO), { ...RATES, publishesPerConnection: 500 });
  assert.deepEqual(limitsAndRates(new Map(), 'none').ratesOf(ONE), {});
});

test('every limit and every rate of the broker and of shadows can be set', () => {
  const all = Object.fromEntries([...Object.keys(DEFAULT_LIMITS), ...Object.keys(RATES)].map((name) => [name, 1]));
  const { limitsOf, ratesOf } = limitsAndRates(readAccounts({ '*': all }), 'none');
  assert.deepEqual(new Set(Object.keys(limitsOf(ONE))), new Set(Object.keys(DEFAULT_LIMITS)));
  assert.deepEqual(new Set(Object.keys(ratesOf(ONE))), new Set(Object.keys(RATES)));
  const ofShadows = ['shadowRequests', 'shadowRequestsPerThing'];
  assert.deepEqual(new Set([...Object.keys(NO_RATES), ...ofShadows]), new Set(Object.keys(RATES)));
});

test('limits of what is registered', () => {
  const accounts = readAccounts({ '*': { pendingCertificates: 7 }, [ONE]: { pendingCertificatesOfCa: 0 } });
  const { limitsOf, registryLimitsOf } = limitsAndRates(accounts, 'none');
  assert.deepEqual(registryLimitsOf(ONE), { pendingCertificates: 7, pendingCertificatesOfCa: 0 });
  assert.deepEqual(registryLimitsOf(TWO), { pendingCertificates: 7 });
  assert.deepEqual(limitsOf(ONE), {});
});

test('the defaults are within the ranges', () => {
  const { connections: _, ...finite } = DEFAULT_LIMITS;
  assert.equal(fault({ '*': { ...finite, ...RATES, sessionExpiry: LIMITS.sessionExpiryMost } }), 'none');
});

test('what is wrong is said in one line, with its place', () => {
  for (const [value, expected] of [
    [[], /^accounts is not a JSON object$/],
    [null, /^accounts is not a JSON object$/],
    [{ 12: {} }, /^accounts\.12 is neither an account id of 12 digits nor \*$/],
    [{ __proto__x: {} }, /neither an account id/],
    [{ [ONE]: 5 }, /^accounts\.123456789012 is not a JSON object$/],
    [{ [ONE]: { sesionExpiry: 5 } }, /^accounts\.123456789012 has an unknown key sesionExpiry$/],
    [{ [ONE]: { constructor: 5 } }, /unknown key constructor/],
    [{ '*': { sessionExpiry: 604_801 } }, /^accounts\.\*\.sessionExpiry is not a whole number from 1 to 604800$/],
    [{ '*': { sessionExpiry: 0 } }, /from 1 to 604800$/],
    [{ '*': { sessionExpiry: '60' } }, /is not a whole number/],
    [{ '*': { sessionExpiry: null } }, /is not a whole number/],
    [{ '*': { publishesIn: -1 } }, /^accounts\.\*\.publishesIn is not a whole number from 0 to/],
    [{ '*': { publishesIn: 1.5 } }, /is not a whole number/],
  ] as const)
    assert.match(fault(value), expected);
});

test('no JSON value does more than give accounts or a ConfigError', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (value, settings) => void [fault(value), fault({ '*': settings, [ONE]: value })]),
  );
});

test('in the config file: its name is in the error, and there is neither flag nor variable for it', () => {
  const path = join(folder, 'config.json');
  const environment = { settings: new Map(), unknown: [] };
  const read = (value: object) => {
    writeFileSync(path, JSON.stringify(value));
    return readConfig(readFlags(['--config', path]), environment);
  };
  assert.equal(read({ accounts: { '*': { shares: 7 } }, region: 'eu-west-1' }).accounts.get('*')?.shares, 7);
  assert.equal(readConfig(readFlags([]), environment).accounts.size, 0);
  assert.throws(() => read({ accounts: { '*': { shares: 'x' } } }), /config file .*config\.json: accounts\.\*\.shares is not/);
  assert.throws(() => readFlags(['--accounts', '{}']), /unknown argument/);
});

test('--rate-limits and --max-connections', () => {
  const config = (...args: string[]) => readConfig(readFlags(args), { settings: new Map(), unknown: [] });
  assert.equal(config('--rate-limits', 'aws').rateLimits, 'aws');
  assert.equal(config().rateLimits, 'none');
  assert.throws(() => config('--rate-limits', 'some'), /--rate-limits: some is none of none, aws/);
  assert.equal(config('--max-connections', '500').maxConnections, 500);
  assert.equal(config().maxConnections, undefined);
  for (const text of ['0', '-1', '1.5', 'many', '', '1000000000'])
    assert.throws(() => config('--max-connections', text), ConfigError);
});
