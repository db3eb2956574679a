import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRORS, type ErrorCode } from '../errors.ts';
import { badInputCode, ownFailureCode, statusOf } from './error-codes.ts';
import { translate } from './patterns.ts';
import { findOperation, operationsOf, SERVICE_NAMES, type ServiceName, shapeOf } from './table.ts';

const everyOperation = SERVICE_NAMES.flatMap(operationsOf);

function shapesFrom(service: ServiceName, name: string, seen = new Set<string>()): Set<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  const shape = shapeOf(service, name);
  for (const member of Object.values(shape.members ?? {})) shapesFrom(service, member.shape, seen);
  for (const next of [shape.member, shape.key, shape.value]) if (next !== undefined) shapesFrom(service, next, seen);
  return seen;
}

test('the table holds every operation of the three services, and the chosen ones of Lambda', () => {
  assert.deepEqual(
    SERVICE_NAMES.map((service) => operationsOf(service).length),
    [272, 11, 5, 33],
  );
  assert.equal(findOperation('iot', 'CreateThing')?.path, '/things/{thingName}');
  assert.equal(findOperation('iot', 'constructor'), undefined);
});

test('every reference leads to a shape, and every pattern compiles', () => {
  for (const { service, input, output, errors } of everyOperation) {
    for (const root of [input, output, ...Object.keys(errors)]) {
      if (root === undefined) continue;
      for (const name of shapesFrom(service, root)) {
        const { pattern } = shapeOf(service, name);
        if (pattern !== undefined) assert.doesNotThrow(() => new RegExp(translate(pattern), 'u'), pattern);
      }
    }
  }
});

test('members outside the body are of types that text can carry', () => {
  for (const { service, name, input } of everyOperation) {
    if (input === undefined) continue;
    for (const [member, { location, shape }] of Object.entries(shapeOf(service, input).members ?? {})) {
      const of = shapeOf(service, shape);
      // A parameter may be given more than once: a list of what text can carry.
      const { type } = location === 'querystring' && of.type === 'list' ? shapeOf(service, of.member ?? '') : of;
      if (location !== undefined)
        assert.ok(['string', 'boolean', 'integer', 'long', 'timestamp'].includes(type), `${name}.${member}: ${type}`);
    }
  }
});

test('every declared error is in the vocabulary', () => {
  const missing = everyOperation.flatMap(({ errors }) => Object.keys(errors).filter((code) => !Object.hasOwn(ERRORS, code)));
  assert.deepEqual(missing, []);
});

test('every operation has a declared 4xx for bad input and a declared 5xx for our own failure', () => {
  for (const operation of everyOperation) {
    const bad = badInputCode(operation);
    assert.ok(Object.hasOwn(operation.errors, bad), `${operation.name}: ${bad}`);
    assert.ok(statusOf(operation, bad) >= 400 && statusOf(operation, bad) < 500);
    const own = ownFailureCode(operation);
    assert.ok(Object.hasOwn(operation.errors, own), `${operation.name}: ${own}`);
    assert.ok(statusOf(operation, own) >= 500);
  }
});

test('throttling is 400 for iot and 429 for the data planes, as the models declare', () => {
  const throttled: ErrorCode = 'ThrottlingException';
  assert.equal(statusOf(findOperation('iot', 'CreateThing'), throttled), 400);
  assert.equal(statusOf(findOperation('iot-data', 'Publish'), throttled), 429);
  assert.equal(statusOf(findOperation('iot-jobs-data', 'DescribeJobExecution'), throttled), 429);
});
