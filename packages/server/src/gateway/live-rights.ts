/**
 * Changes of rights reach live connections: each connection of the certificates concerned is judged afresh with the
 * CONNECT that it came with. It gets its new rights, or, when it may no longer connect, is closed.
 */
import { REASON } from '@thingkeep/wire/mqtt/reason-codes.ts';
import type { Broker } from '../broker/broker.ts';
import type { Client } from '../broker/client.ts';
import type { Judge } from '../broker/contract.ts';
import type { Connect } from '../mqtt/connect.ts';
import type { RightsChange, RightsChanges } from '../policies/rights-changes.ts';

export interface LiveRightsOptions {
  readonly broker: Broker;
  readonly judgedAt: (connect: Connect) => number | undefined;
  readonly changes: RightsChanges;
}

/** Keeps in mind by which state of the rights each CONNECT was judged, whoever its judge is. */
export function markJudgements(changes: RightsChanges): {
  marked: (judge: Judge) => Judge;
  judgedAt: (connect: Connect) => number | undefined;
} {
  const marks = new WeakMap<Connect, number>();
  const marked =
    (judge: Judge): Judge =>
    (connect) => {
      marks.set(connect, changes.count);
      return judge(connect);
    };
  return { marked, judgedAt: (connect) => marks.get(connect) };
}

/** Begins to follow changes; gives the function that ends it. */
export function followRights({ broker, judgedAt, changes }: LiveRightsOptions): () => void {
  // Judgements of one connection may overlap, and end in another order than they began: only the newest counts.
  const newest = new WeakMap<Client, number>();
  const judgeAgain = async (client: Client): Promise<void> => {
    if (client.connect === undefined) return;
    const turn = (newest.get(client) ?? 0) + 1;
    newest.set(client, turn);
    const answer = await client.judge(client.connect);
    if (client.state !== 'connected' || newest.get(client) !== turn) return;
    if (!('refused' in answer)) {
      client.setRights(answer.rights);
      return;
    }
    client.refuse(answer.refused);
    // A will is judged by the rights of the moment when it fires: there are none left.
    client.dropRights();
    client.close('AUTH_ERROR', REASON.NOT_AUTHORIZED);
  };
  // A change between a CONNECT's judgement and its admission would otherwise be missed.
  broker.onConnection((client, ended) => {
    if (ended === undefined && client.connect !== undefined && judgedAt(client.connect) !== changes.count)
      void judgeAgain(client);
  });
  return changes.on(({ certificateIds }: RightsChange) => {
    for (const certificateId of certificateIds) for (const client of broker.clientsOf(certificateId)) void judgeAgain(client);
  });
}
