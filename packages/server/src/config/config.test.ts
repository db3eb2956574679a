/** One frozen configuration from flags, environment and config file, whatever is thrown at them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { readConfig, readFlags, settingsHelp } from './config.ts';
import { ConfigError, SETTINGS, variableOf } from './settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkeep-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const file = (text: string): string => {
  const path = join(folder, 'config.json');
  writeFileSync(path, text);
  return path;
};
const environment = (variables: Record<string, string> = {}) => ({ settings: new Map(Object.entries(variables)), unknown: [] });
const config = (args: readonly string[], variables: Record<string, string> = {}) =>
  readConfig(readFlags(args), environment(variables));

describe('flags', () => {
  test('a value after a space or an equals sign, and a bare flag', () => {
    assert.equal(config(['--api-port', '1', '--mqtt-port=2']).apiPort, 1);
    assert.equal(config(['--mqtt-port=2']).mqttPort, 2);
    assert.equal(config(['--api-tls']).apiTls, true);
    assert.equal(config(['--api-tls=false']).apiTls, false);
    assert.equal(config(['--data-dir=a=b']).dataDir, resolve('a=b'));
  });

  test('a list: the flag repeated, commas in the variable, an array in the file', () => {
    const endpoints = ['a.example', 'b.example'];
    assert.deepEqual(config(['--endpoint', 'a.example', '--endpoint=b.example']).endpoints, endpoints);
    assert.deepEqual(config([], { THINGKEEP_ENDPOINT: 'a.example, b.example' }).endpoints, endpoints);
    assert.deepEqual(config(['--config', file(JSON.stringify({ endpoint: endpoints }))]).endpoints, endpoints);
    assert.deepEqual(config(['--config', file('{"endpoint": "a.example"}')]).endpoints, ['a.example']);
    assert.equal(config(['--endpoint', 'a.example', '--endpoint', 'b.example']).endpoint, 'a.example');
    assert.deepEqual([config([]).endpoint, config([]).endpoints], ['localhost', ['localhost']]);
    for (const args of [
      ['--endpoint', ''],
      ['--endpoint', ','],
      ['--endpoint', 'a.example', '--endpoint', 'b c'],
    ])
      assert.throws(() => config(args), ConfigError, args.join(' '));
    for (const text of ['{"endpoint": [1]}', '{"endpoint": {}}', '{"endpoint": []}', '{"region": ["us-east-1"]}'])
      assert.throws(() => config(['--config', file(text)]), ConfigError, text);
    assert.throws(() => config(['--region', 'us-east-1', '--region', 'us-east-2']), /given twice/);
  });

  test('--outgoing-allow takes names, addresses and ranges, with or without a port', () => {
    const allowed = config(['--outgoing-allow', 'hook.internal:8080', '--outgoing-allow', '10.0.0.0/8']).outgoingAllow;
    assert.deepEqual(
      allowed.map(({ host, port, range }) => [host, port, range?.prefix]),
      [
        ['hook.internal', 8080, undefined],
        [undefined, undefined, 8],
      ],
    );
    assert.throws(() => config(['--outgoing-allow', 'http://a/']), /--outgoing-allow: "http:\/\/a\/" is no host name/);
  });

  test('an empty value is a value', () => {
    assert.throws(() => config(['--api-port=']), /--api-port: {2}is not a port/);
  });

  test('an endpoint is an http or https URL that holds no secret', () => {
    assert.equal(config([]).lambdaEndpoint, undefined);
    assert.equal(config(['--lambda-endpoint', 'http://localhost:4566']).lambdaEndpoint?.href, 'http://localhost:4566/');
    for (const text of [
      '',
      'localhost:4566',
      'ftp://localhost',
      'https://user:secret@localhost',
      'https://:secret@localhost',
      'https://localhost?key=1',
      'https://localhost#x',
    ])
      assert.throws(() => config(['--lambda-endpoint', text]), ConfigError, text);
  });

  test('a value may begin with one dash', () => {
    assert.equal(config(['--data-dir', '-x']).dataDir, resolve('-x'));
  });

  test('names of object members are no flags', () => {
    for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty'])
      assert.throws(() => readFlags([`--${name}`, 'x']), ConfigError);
  });

  test('no command line does more than give a configuration or a ConfigError', () => {
    const argument = fc.oneof(
      fc.string(),
      fc.constantFrom(...Object.values(SETTINGS).map(({ flag }) => `--${flag}`)),
      fc
        .tuple(fc.constantFrom('--api-port', '--bind', '--endpoint', '--region'), fc.string())
        .map(([flag, value]) => `${flag}=${value}`),
    );
    fc.assert(
      fc.property(fc.array(argument, { maxLength: 6 }), (args) => {
        try {
          assert.ok(Object.isFrozen(config(args.filter((arg) => !arg.startsWith('--config')))));
        } catch (error) {
          assert.ok(error instanceof ConfigError, String(error));
          assert.ok(error.message.length > 0);
        }
      }),
    );
  });
});

describe('sources', () => {
  test('a flag wins over a variable, it over the file, and that over the default', () => {
    const path = file('{"region":"eu-west-1","endpoint":"file.test","api-port":1,"api-tls":true}');
    const read = config(['--config', path, '--region', 'ap-south-1'], {
      THINGKEEP_REGION: 'us-west-2',
      THINGKEEP_ENDPOINT: 'variable.test',
    });
    assert.equal(read.region, 'ap-south-1');
    assert.equal(read.endpoint, 'variable.test');
    assert.equal(read.apiPort, 1);
    assert.equal(read.apiTls, true);
    assert.equal(read.mqttPort, 8883);
    assert.equal(config([], { THINGKEEP_CONFIG: path }).region, 'eu-west-1');
  });

  test('the defaults', () => {
    const read = config([]);
    assert.deepEqual(
      [read.bind, read.apiPort, read.mqttPort, read.httpsPort, read.endpoint, read.region, read.accountId, read.rateLimits],
      ['127.0.0.1', 4680, 8883, 8443, 'localhost', 'us-east-1', '000000000000', 'none'],
    );
    assert.equal(read.dataDir, resolve('data'));
  });

  test('what is not available yet is refused, not ignored', () => {
    for (const args of [
      ['--database-url', 'postgres://x'],
      ['--nats-url', 'nats://x'],
    ])
      assert.throws(() => config(args), /not available in this version/);
  });

  test('two fixed ports must differ; port 0 may be given often', () => {
    assert.throws(() => config(['--api-port', '8883']), /must differ/);
    assert.equal(config(['--api-port', '0', '--mqtt-port', '0', '--https-port', '0']).httpsPort, 0);
  });

  test('names of object members are no keys of the file', () => {
    for (const text of ['{"__proto__":{"region":"eu-west-1"}}', '{"constructor":"x"}', '{"toString":1}'])
      assert.throws(() => config(['--config', file(text)]), /unknown key/);
  });
});

test('help and variables name every setting', () => {
  for (const { flag } of Object.values(SETTINGS)) {
    assert.ok(settingsHelp().includes(`--${flag} `) || settingsHelp().includes(`--${flag}\n`), flag);
    assert.match(variableOf(flag), /^THINGKEEP_[A-Z_]+$/);
  }
});
