import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, ThingkeepError } from '../errors.ts';
import { renderError } from './render-error.ts';
import { renderResponse } from './render-response.ts';
import { findOperation } from './table.ts';

const operation = (name: string, service: 'iot' | 'iot-data' | 'iot-jobs-data' = 'iot') =>
  findOperation(service, name) ?? assert.fail(name);
const bodyOf = (rendered: { body: string | Uint8Array }): unknown => JSON.parse(String(rendered.body));

test('timestamps are epoch seconds, unknown and undefined members are dropped', () => {
  const output = {
    certificateDescription: { creationDate: new Date(1_700_000_000_123), certificateId: undefined, secret: 1 },
    other: 2,
  };
  assert.deepEqual(bodyOf(renderResponse(operation('DescribeCertificate'), output)), {
    certificateDescription: { creationDate: 1_700_000_000.123 },
  });
});

test('a bigint is rendered with all of its digits', () => {
  const parameters = { p: { L: 9_223_372_036_854_775_807n } };
  const { body } = renderResponse(operation('GetCommandExecution'), { parameters });
  assert.equal(body, '{"parameters":{"p":{"L":9223372036854775807}}}');
});

test('attribute names of any kind survive', () => {
  const attributes = JSON.parse('{"__proto__":"a","b":"c"}');
  assert.equal(renderResponse(operation('DescribeThing'), { attributes }).body, '{"attributes":{"__proto__":"a","b":"c"}}');
});

test('an operation without output answers {}, and a payload member is the body itself', () => {
  assert.deepEqual(bodyOf(renderResponse(operation('DeletePolicy'), {})), {});
  const payload = new TextEncoder().encode('{"state":{}}');
  assert.equal(renderResponse(operation('GetThingShadow', 'iot-data'), { payload }).body, payload);
  assert.deepEqual(bodyOf(renderResponse(operation('Publish', 'iot-data'), {})), {});
  assert.equal(renderResponse(operation('DeleteCommand'), { statusCode: 204 }).status, 204);
});

test('an error keeps the members that its model has, and no others', () => {
  const error = new ThingkeepError('ResourceAlreadyExistsException', 'There is one', {
    resourceId: 'x',
    resourceArn: 'arn',
    inner: 'secret',
  });
  const rendered = renderError(operation('CreateThing'), error);
  assert.equal(rendered.status, 409);
  assert.equal(rendered.headers['x-amzn-errortype'], 'ResourceAlreadyExistsException');
  assert.deepEqual(bodyOf(rendered), { message: 'There is one', resourceId: 'x', resourceArn: 'arn' });
});

test('an internal error shows no detail, and is a defect', () => {
  const rendered = renderError(operation('CreateThing'), new Error('SELECT secret'));
  assert.deepEqual([rendered.status, rendered.code, rendered.defect], [500, 'InternalFailureException', 'unexpected exception']);
  assert.doesNotMatch(String(rendered.body), /secret/);
});

test("a code that the operation does not declare becomes the operation's own failure", () => {
  const undeclared = new ThingkeepError('SqlParseException', 'detail');
  const rendered = renderError(operation('CreatePackage'), undeclared);
  assert.deepEqual([rendered.code, rendered.defect], ['InternalServerException', 'undeclared error code']);
  assert.doesNotMatch(String(rendered.body), /detail/);
  const frontEnd = renderError(operation('CreatePackage'), new ThingkeepError('UnknownOperationException', 'not yet'));
  assert.deepEqual([frontEnd.status, frontEnd.defect], [404, undefined]);
});

test('the data plane traces its errors by request id', () => {
  const rendered = renderError(operation('Publish', 'iot-data'), new ThingkeepError('ThrottlingException', 'slower'));
  assert.deepEqual([rendered.status, rendered.headers['x-amzn-errortype']], [429, 'ThrottlingException:']);
  assert.deepEqual(bodyOf(rendered), { message: 'slower' });
});

test('an error of Lambda says whose mistake it is, and has its message where the model has it', () => {
  const operation = findOperation('lambda', 'GetFunction');
  const bodyOf = (code: ErrorCode) => JSON.parse(String(renderError(operation, new ThingkeepError(code, 'm')).body)) as unknown;
  assert.deepEqual(bodyOf('ResourceNotFoundException'), { Type: 'User', Message: 'm' });
  assert.deepEqual(bodyOf('InvalidParameterValueException'), { Type: 'User', message: 'm' });
  const { status, body } = renderError(operation, new RangeError('secret'));
  assert.deepEqual([status, JSON.parse(String(body)).Type], [500, 'Service']);
});
