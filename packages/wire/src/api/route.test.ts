import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ThingkeepError } from '../errors.ts';
import { findRoute, route, servicesOfScope } from './route.ts';
import { operationsOf, SERVICE_NAMES } from './table.ts';

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof ThingkeepError) return error.code;
    throw error;
  }
  return 'accepted';
};
const name = (
  method: string,
  path: string,
  services: readonly (typeof SERVICE_NAMES)[number][] = SERVICE_NAMES,
): string | undefined => findRoute(method, path, services)?.operation.name;

test('every operation is routed, its labels decoded', () => {
  for (const operation of SERVICE_NAMES.flatMap(operationsOf)) {
    const path = operation.path.replace(/\{(\w+)\+?\}/g, (_label, label: string) => `${label}%2F%C3%A9x`);
    const found = findRoute(operation.method, path, [operation.service]);
    assert.equal(found?.operation.name, operation.name, path);
    for (const [label, value] of found?.labels ?? []) assert.equal(value, `${label}/éx`);
  }
});

test('without a choice of services only three pairs of operations collide', () => {
  const collided = SERVICE_NAMES.flatMap(operationsOf).filter((operation) => {
    const path = operation.path.replace(/\{\w+\+?\}/g, 'x');
    return findRoute(operation.method, path, SERVICE_NAMES)?.operation.service !== operation.service;
  });
  assert.deepEqual(collided.map((operation) => operation.path).sort(), [
    '/command-executions',
    '/things/{thingName}/jobs',
    '/things/{thingName}/jobs/{jobId}',
  ]);
});

test('the scope decides between operations of the same method and path', () => {
  assert.equal(name('GET', '/things/t/jobs', servicesOfScope('iot')), 'ListJobExecutionsForThing');
  assert.equal(name('GET', '/things/t/jobs', servicesOfScope('iot-jobs-data')), 'GetPendingJobExecutions');
  assert.equal(name('POST', '/command-executions', servicesOfScope('iot')), 'ListCommandExecutions');
  assert.equal(name('POST', '/command-executions', servicesOfScope('iot-jobs-data')), 'StartCommandExecution');
  assert.equal(findRoute('GET', '/things/t/jobs/j', servicesOfScope('iot'))?.operation.service, 'iot');
  assert.equal(findRoute('GET', '/things/t/jobs/j', servicesOfScope('iot-jobs-data'))?.operation.service, 'iot-jobs-data');
});

test('scopes are not interchangeable', () => {
  assert.deepEqual(servicesOfScope('iotdata'), ['iot-data']);
  assert.deepEqual(servicesOfScope('iotdevicegateway'), ['iot-data']);
  assert.deepEqual(servicesOfScope('execute-api'), ['iot']);
  assert.deepEqual(servicesOfScope('s3'), []);
  assert.equal(name('POST', '/topics/a', servicesOfScope('iot')), undefined);
});

test('topics may stand in the path as they are (developer guide, page http)', () => {
  assert.equal(findRoute('POST', '/topics/a/b%2Fc', ['iot-data'])?.labels.get('topic'), 'a/b/c');
  assert.equal(
    findRoute('GET', '/destinations/arn:aws:iot:r:a:ruledestination/http/u', ['iot'])?.labels.get('arn'),
    'arn:aws:iot:r:a:ruledestination/http/u',
  );
});

test('a list path of the model that ends in a slash answers without it as well', () => {
  assert.equal(name('GET', '/authorizers/'), 'ListAuthorizers');
  assert.equal(name('GET', '/authorizers'), 'ListAuthorizers');
});

test('hostile paths are refused clearly', () => {
  const all = SERVICE_NAMES;
  const refused: [method: string, path: string][] = [
    ['GET', '/things/'],
    ['GET', '/things//principals'],
    ['GET', '/things/%'],
    ['GET', '/things/%zz'],
    ['POST', '/things/%ff'],
    ['POST', '/things/%c0%af'],
    ['POST', '/topics/a//b'],
    ['POST', '/topics/'],
    ['POST', '/topics/a/%ed%a0%80'],
  ];
  for (const [method, path] of refused)
    assert.equal(
      codeOf(() => route(method, path, all)),
      'InvalidRequestException',
      `${method} ${path}`,
    );
  for (const path of [
    '//things',
    '/things/x/',
    '/things/../things',
    '/things/.',
    '/',
    '',
    '*',
    'http://h/things',
    '/THINGS',
    '/constructor',
    '/__proto__/x',
  ])
    assert.equal(
      codeOf(() => route('GET', path, all)),
      'UnknownOperationException',
      path,
    );
  for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'get', '__proto__'])
    assert.equal(
      codeOf(() => route(method, '/things', all)),
      'UnknownOperationException',
      method,
    );
});

test('no path throws anything but an error of the vocabulary', () => {
  const segment = fc.oneof(fc.constantFrom('things', 'jobs', 'topics', '', '.', '..', '%', '%2F', '{thingName}'), fc.string());
  const method = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH');
  fc.assert(
    fc.property(
      method,
      fc.array(segment, { maxLength: 40 }),
      (verb, segments) => codeOf(() => route(verb, `/${segments.join('/')}`, SERVICE_NAMES)) !== '',
    ),
  );
});
