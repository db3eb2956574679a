/** Every decision of the table, through the whole of parsing, compiling, binding and deciding. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePolicies } from './compile.ts';
import { CASES, HEAD } from './decisions.fixture.ts';
import { bindPermissions } from './evaluate.ts';
import { deviceContext } from './variables.ts';

const arnOf = (resource: string): string => (resource === '*' || resource.startsWith('arn:') ? resource : HEAD + resource);

for (const { name, source, statements, version = '2012-10-17', facts, checks } of CASES) {
  test(`${name} (${source})`, () => {
    const document = JSON.stringify({ Version: version, Statement: statements }, null, 2);
    const compiled = compilePolicies([{ policyName: 'P', document }]);
    assert.deepEqual(compiled.unreadable, []);
    const permissions = bindPermissions(compiled, deviceContext({ protocol: 'mqtt', isAttached: false, now: 0, ...facts }));
    for (const [action, resource, expected] of checks) {
      const arn = arnOf(resource);
      const decision = permissions.decide(action, arn);
      assert.equal(decision.effect, expected, `${action} ${resource}`);
      assert.equal(decision.policyName, expected === 'IMPLICIT_DENY' ? undefined : 'P');
      if (arn.startsWith(HEAD)) {
        assert.equal(
          permissions.decideUnder(HEAD, action, arn.slice(HEAD.length)).effect,
          expected,
          `kept head: ${action} ${resource}`,
        );
      }
    }
  });
}

test('the table holds at least 150 decisions', () => {
  assert.ok(CASES.flatMap((group) => group.checks).length >= 150);
});
