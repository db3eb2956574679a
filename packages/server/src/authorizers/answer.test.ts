/** What a function's answer must be (developer guide, page custom-auth-lambda; fact sheet 11.1, Lambda response). */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readAnswer } from './answer.ts';

const DOCUMENT = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'iot:Connect', Resource: '*' }] };
const GOOD = { isAuthenticated: true, principalId: 'device1', policyDocuments: [DOCUMENT] };

const read = (answer: unknown, documentsRequired = true) =>
  readAnswer(Buffer.from(typeof answer === 'string' ? answer : JSON.stringify(answer)), { documentsRequired });
const faultOf = (answer: unknown): string => {
  const result = read(answer);
  return 'fault' in result ? result.fault : assert.fail(`was taken: ${JSON.stringify(answer)}`);
};

describe('taken', () => {
  test('documents as objects and as strings; a day until the disconnect when none is named', () => {
    const policyDocuments = [DOCUMENT, JSON.stringify(DOCUMENT)];
    assert.deepEqual(read({ ...GOOD, policyDocuments }), {
      isAuthenticated: true,
      principalId: 'device1',
      policyDocuments: [JSON.stringify(DOCUMENT), JSON.stringify(DOCUMENT)],
      disconnectAfterInSeconds: 86_400,
    });
  });

  test('the bounds of both times, and of the number of documents', () => {
    const answer = {
      ...GOOD,
      policyDocuments: Array(10).fill(DOCUMENT),
      disconnectAfterInSeconds: 300,
      refreshAfterInSeconds: 86_400,
    };
    const result = read(answer);
    assert.ok(!('fault' in result) && result.isAuthenticated);
    assert.deepEqual([result.disconnectAfterInSeconds, result.refreshAfterInSeconds], [300, 86_400]);
    assert.equal(result.policyDocuments.length, 10);
  });

  test('nothing beside a false isAuthenticated is looked at', () => {
    assert.deepEqual(read({ isAuthenticated: false, principalId: '-', policyDocuments: 7 }), { isAuthenticated: false });
  });

  test('no documents, where the certificate has policies of its own', () => {
    const { policyDocuments: _, ...without } = GOOD;
    const result = read(without, false);
    assert.ok(!('fault' in result) && result.isAuthenticated);
    assert.deepEqual(result.policyDocuments, []);
    assert.match(faultOf(without), /policyDocuments is not a list/);
  });
});

describe('not taken', () => {
  for (const [what, answer, fault] of [
    ['no JSON', 'true,', /not JSON/],
    ['no UTF-8', '"\ud800"', /not a JSON object/],
    ['a list', '[]', /not a JSON object/],
    ['null', 'null', /not a JSON object/],
    ['"true"', { ...GOOD, isAuthenticated: 'true' }, /isAuthenticated is not a boolean/],
    ['1', { ...GOOD, isAuthenticated: 1 }, /isAuthenticated is not a boolean/],
    ['no isAuthenticated', { principalId: 'p', policyDocuments: [] }, /isAuthenticated is not a boolean/],
    ['no principalId', { ...GOOD, principalId: undefined }, /principalId/],
    ['an empty principalId', { ...GOOD, principalId: '' }, /principalId/],
    ['a principalId with a hyphen', { ...GOOD, principalId: 'device-1' }, /principalId/],
    ['a principalId with a line end', { ...GOOD, principalId: 'device1\n' }, /principalId/],
    ['a principalId of 129', { ...GOOD, principalId: 'x'.repeat(129) }, /principalId/],
    ['11 documents', { ...GOOD, policyDocuments: Array(11).fill(DOCUMENT) }, /more than 10/],
    ['a number as document', { ...GOOD, policyDocuments: [DOCUMENT, 7] }, /policy document 2 is neither/],
    ['a list as document', { ...GOOD, policyDocuments: [[DOCUMENT]] }, /policy document 1 is neither/],
    ['a long document', { ...GOOD, policyDocuments: [JSON.stringify(DOCUMENT).padEnd(2049)] }, /more than 2048/],
    [
      'a document that is no policy',
      { ...GOOD, policyDocuments: [{ Version: '2012-10-17' }] },
      /policy document 1: .*statement/i,
    ],
    ['a short disconnect', { ...GOOD, disconnectAfterInSeconds: 299 }, /disconnectAfterInSeconds/],
    ['a long disconnect', { ...GOOD, disconnectAfterInSeconds: 86_401 }, /disconnectAfterInSeconds/],
    ['a refresh as text', { ...GOOD, refreshAfterInSeconds: '300' }, /refreshAfterInSeconds/],
    ['half a second', { ...GOOD, refreshAfterInSeconds: 300.5 }, /refreshAfterInSeconds/],
  ] as const)
    test(what, () => assert.match(faultOf(answer), fault));

  test('bytes that are no UTF-8', () => {
    const bytes = Buffer.concat([Buffer.from('{"isAuthenticated":true,"principalId":"'), Buffer.of(0xff), Buffer.from('"}')]);
    assert.deepEqual(readAnswer(bytes, { documentsRequired: true }), { fault: 'it is not JSON' });
  });
});
