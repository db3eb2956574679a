/** Prints what one decision costs: four statements, as the tutorials' device policies have them, hot and in one thread. */
import { compilePolicies } from '../packages/server/src/policies/compile.ts';
import { bindPermissions } from '../packages/server/src/policies/evaluate.ts';
import { deviceContext } from '../packages/server/src/policies/variables.ts';

const arn = 'arn:aws:iot:us-east-1:000000000000:';
const statement = (Action: string | string[], ...resources: string[]) => ({
  Effect: 'Allow',
  Action,
  Resource: resources.map((resource) => arn + resource),
});

const document = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    statement('iot:Connect', `client/\${iot:ClientId}`),
    statement(['iot:Publish', 'iot:Receive'], `topic/\${iot:ClientId}/*`, `topic/$aws/things/\${iot:ClientId}/shadow/*`),
    statement('iot:Subscribe', `topicfilter/\${iot:ClientId}/#`, `topicfilter/$aws/things/\${iot:ClientId}/shadow/*`),
    { Effect: 'Deny', Action: 'iot:Publish', Resource: `${arn}topic/*/restricted/*` },
  ],
});

const context = deviceContext({ protocol: 'mqtt', clientId: 'device-0001', sourceIp: '192.0.2.1', now: 0, isAttached: false });
const compiled = compilePolicies([{ policyName: 'Device', document }]);
const permissions = bindPermissions(compiled, context);

const ROUNDS = 2_000_000;
const CASES: readonly (readonly [name: string, action: string, resource: string])[] = [
  ['publish, allowed by the first pattern', 'iot:Publish', `${arn}topic/device-0001/environment`],
  ['publish, allowed by the second pattern', 'iot:Publish', `${arn}topic/$aws/things/device-0001/shadow/update`],
  ['publish, denied by no statement', 'iot:Publish', `${arn}topic/device-0002/environment`],
  ['receive', 'iot:Receive', `${arn}topic/device-0001/environment`],
];

for (const [name, action, resource] of CASES) {
  const topics = Array.from({ length: 64 }, (_, index) => `${resource}/${index}`);
  const run = (): number => {
    const start = process.hrtime.bigint();
    for (let round = 0; round < ROUNDS; round += 1) permissions.decide(action, topics[round & 63] ?? '');
    return Number(process.hrtime.bigint() - start) / ROUNDS;
  };
  run();
  const parts = topics.map((topic) => topic.slice(arn.length));
  const runUnder = (): number => {
    const start = process.hrtime.bigint();
    for (let round = 0; round < ROUNDS; round += 1) permissions.decideUnder(arn, action, parts[round & 63] ?? '');
    return Number(process.hrtime.bigint() - start) / ROUNDS;
  };
  runUnder();
  const whole = Math.min(run(), run(), run()).toFixed(0);
  const under = Math.min(runUnder(), runUnder(), runUnder()).toFixed(0);
  console.log(`${name}: ${permissions.decide(action, resource).effect}, whole ARN ${whole} ns, under a kept head ${under} ns`);
}

const BINDS = 20_000;
const start = process.hrtime.bigint();
for (let round = 0; round < BINDS; round += 1)
  bindPermissions(compiled, context).decide('iot:Connect', `${arn}client/device-0001`);
console.log(`bind and decide iot:Connect: ${(Number(process.hrtime.bigint() - start) / BINDS / 1000).toFixed(1)} us`);
