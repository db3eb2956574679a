/** The broker without TLS or policies, for profiling the hot path alone: node bench/plain-broker.ts PORT */
import { createServer } from 'node:net';
import { pino } from 'pino';
import { Broker } from '../packages/server/src/broker/broker.ts';
import type { ConnectAuthorizer } from '../packages/server/src/broker/contract.ts';
import { Retained } from '../packages/server/src/broker/routing/retained.ts';
import { attach } from '../packages/server/src/gateway/connection.ts';
import { systemClock } from '../packages/server/src/runtime/clock.ts';
import { openSqliteStore } from '../packages/server/src/store/sqlite/sqlite-store.ts';

const store = await openSqliteStore({ path: ':memory:' });
const broker = new Broker({
  region: 'us-east-1',
  clock: systemClock,
  log: pino({ level: 'error' }),
  refuse: (refusal) => console.error(refusal),
  firstPacketHint: () => undefined,
  retained: new Retained(() => store),
  store,
});
setInterval(() => broker.tick(), 100);
const authorizer: ConnectAuthorizer = async () => ({
  accountId: '000000000000',
  principal: 'bench',
  permissions: { volatile: false, decide: () => ({ effect: 'ALLOWED' }) },
});
createServer({ noDelay: true }, (socket) =>
  attach(socket, broker.connections, { sourceIp: '127.0.0.1', sourcePort: 0 }, 'mqtts', authorizer, () => undefined),
).listen(Number(process.argv[2] ?? 1883), '127.0.0.1', () => console.log('ready'));
