/** Every constraint of the service models, broken one at a time, is refused with a code that the operation declares. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseRequest } from '@thingkeep/wire/api/parse-request.ts';
import { renderError } from '@thingkeep/wire/api/render-error.ts';
import { findRoute } from '@thingkeep/wire/api/route.ts';
import {
  type BrokenRequest,
  brokenRequests,
  everyOperation,
  filledRequests,
  validRequest,
  type WireRequest,
} from './constraints.ts';

function receive(operation: BrokenRequest['operation'], { method, path, query, headers, body }: WireRequest): unknown {
  const found = findRoute(method, path, [operation.service]);
  assert.equal(found?.operation.name, operation.name, `${method} ${path}`);
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return parseRequest(found, { query, header: (name) => headers[name], body: bytes });
}

test('the least valid input of every operation is accepted', () => {
  for (const operation of everyOperation()) receive(operation, validRequest(operation));
});

test('a valid value at any place of any input is accepted', (t) => {
  let count = 0;
  for (const operation of everyOperation()) {
    for (const { at, request } of filledRequests(operation)) {
      count++;
      assert.doesNotThrow(() => receive(operation, request), `${operation.name} ${at}`);
    }
  }
  t.diagnostic(`${count} places`);
});

test('every broken constraint is refused with a declared 4xx code', (t) => {
  const counts = new Map<string, number>();
  const accepted: string[] = [];
  for (const operation of everyOperation()) {
    for (const { constraint, at, request } of brokenRequests(operation)) {
      counts.set(constraint, (counts.get(constraint) ?? 0) + 1);
      const where = `${operation.name} ${at} ${constraint}`;
      try {
        receive(operation, request);
        accepted.push(where);
      } catch (error) {
        const { status, code, defect } = renderError(operation, error);
        assert.equal(defect, undefined, `${where}: ${String(error)}`);
        assert.ok(status >= 400 && status < 500, `${where}: ${status}`);
        assert.ok(Object.hasOwn(operation.errors, code), `${where}: ${code}`);
      }
    }
  }
  assert.deepEqual(accepted, []);
  const total = [...counts.values()].reduce((sum, each) => sum + each, 0);
  t.diagnostic(`${total} broken constraints: ${[...counts].map(([kind, count]) => `${count} ${kind}`).join(', ')}`);
  assert.ok(total > 2_100, `only ${total}`);
});
