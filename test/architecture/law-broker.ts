/** The arrows inside of the broker. */
import { type Room, room } from './room.ts';

export const BROKER_ROOMS: Readonly<Record<string, Room>> = {
  'broker/contract.ts': room(
    'the broker knows no socket, no certificate and no policy: a channel and a judge are handed in, as this file has them',
    ['mqtt/', 'refusals/refusals.ts'],
  ),
  'broker/messaging.ts': room('a contract that every domain may import: it knows nothing of the broker behind it', [
    'mqtt/',
    'store/contract.ts',
  ]),
  'broker/message/': room('messages are bytes in the form of the wire: who gets them is decided elsewhere', [
    ...['broker/contract.ts', 'broker/messaging.ts'],
    'mqtt/',
  ]),
  'broker/session/': room('a session knows what waits for it and one way to its client: neither routes nor packets that come', [
    ...['runtime/', 'store/contract.ts', 'store/journal.ts', 'mqtt/', 'refusals/refusals.ts'],
    ...['broker/contract.ts', 'broker/messaging.ts', 'broker/message/'],
  ]),
  'broker/routing/': room(
    'routing finds who gets a message, and never who sent it: a publisher is one that can be made to wait',
    [
      ...['runtime/', 'store/contract.ts', 'store/journal.ts', 'store/pages.ts', 'mqtt/'],
      ...['broker/contract.ts', 'broker/messaging.ts', 'broker/message/', 'broker/session/'],
    ],
  ),
  'broker/connection/': room(
    'a connection and the handlers of its packets see the broker by the interface of services.ts alone',
    [
      ...['runtime/', 'store/contract.ts', 'store/journal.ts', 'store/pages.ts', 'mqtt/', 'refusals/refusals.ts'],
      ...['broker/contract.ts', 'broker/messaging.ts', 'broker/message/', 'broker/session/', 'broker/routing/'],
    ],
    ['crypto'],
  ),
  'broker/': room(
    'the broker puts its four floors together, and serves the API of the data plane',
    [
      ...['domain.ts', 'runtime/', 'store/contract.ts', 'store/journal.ts', 'mqtt/', 'refusals/refusals.ts'],
      ...['broker/contract.ts', 'broker/messaging.ts'],
      ...['broker/message/', 'broker/session/', 'broker/routing/', 'broker/connection/'],
    ],
    ['crypto'],
  ),
};
