/** A change of rights while a CONNECT is judged, or judged again, is never lost. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Broker } from '../broker/broker.ts';
import type { Client } from '../broker/client.ts';
import type { Admission, AdmissionRefusal, Judge } from '../broker/contract.ts';
import { ALL, rightsOf } from '../broker/test-bench.ts';
import type { Connect } from '../mqtt/connect.ts';
import { RightsChanges } from '../policies/rights-changes.ts';
import { followRights, markJudgements } from './live-rights.ts';

const connect = { clientId: 'c' } as Connect;
const admission = (rights = ALL): Admission => ({ accountId: '000000000000', principal: 'p', rights });
const refusal: AdmissionRefusal = { refused: { check: 'policy', reason: 'no' } };

const workbench = () => {
  const changes = new RightsChanges();
  const answers: PromiseWithResolvers<Admission | AdmissionRefusal>[] = [];
  const { marked, judgedAt } = markJudgements(changes);
  const judge: Judge = marked(() => {
    const answer = Promise.withResolvers<Admission | AdmissionRefusal>();
    answers.push(answer);
    return answer.promise;
  });
  const told: unknown[] = [];
  const client = {
    judge,
    connect,
    state: 'connected',
    setRights: (rights: unknown) => told.push(rights),
    refuse: ({ check }: AdmissionRefusal['refused']) => told.push(check),
    dropRights: () => told.push('dropped'),
    close: (reason: string) => {
      told.push(reason);
      client.state = 'closed';
    },
  };
  let connected: (client: Client) => void = () => {};
  const broker = {
    onConnection: (listener: typeof connected) => {
      connected = listener;
    },
    clientsOf: (id: string) => (id === 'a' ? [client] : []),
  } as unknown as Broker;
  followRights({ broker, judgedAt, changes });
  const settle = async (at: number, answer: Admission | AdmissionRefusal): Promise<void> => {
    answers[at]?.resolve(answer);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { changes, answers, judge, told, settle, arrive: () => connected(client as unknown as Client) };
};

test('a connection is judged again only if a right changed since its CONNECT was judged', async () => {
  const { changes, answers, judge, arrive, told, settle } = workbench();
  void judge(connect);
  arrive();
  assert.equal(answers.length, 1);
  changes.ring('000000000000', ['another']);
  arrive();
  assert.equal(answers.length, 2);
  await settle(1, admission());
  assert.deepEqual(told, [ALL]);
});

test('who may no longer connect is refused, without rights for its will, and closed', async () => {
  const { changes, told, settle } = workbench();
  changes.ring('000000000000', ['a']);
  await settle(0, refusal);
  assert.deepEqual(told, ['policy', 'dropped', 'AUTH_ERROR']);
});

test('of judgements that overlap, the newest counts, whichever ends last', async () => {
  const { changes, told, settle } = workbench();
  const fewer = rightsOf(() => false);
  changes.ring('000000000000', ['a']);
  changes.ring('000000000000', ['a']);
  await settle(1, admission(fewer));
  await settle(0, admission(ALL));
  assert.deepEqual(told, [fewer]);
});
