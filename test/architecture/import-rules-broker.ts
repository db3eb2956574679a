/** The arrows inside of the broker. */
import { type FolderRule, folderRule } from './folder-rule.ts';

export const BROKER_FOLDERS: Readonly<Record<string, FolderRule>> = {
  'broker/contract.ts': folderRule(
    'the broker knows no socket, no certificate and no policy: a channel and an authorizer are handed in, as this file has them',
    ['mqtt/', 'refusals/policy-refusal.ts', 'refusals/refusals.ts'],
  ),
  'broker/messaging.ts': folderRule('a contract that every domain may import: it knows nothing of the broker behind it', [
    'mqtt/',
    'store/contract.ts',
  ]),
  'broker/message/': folderRule('messages are bytes in the form of the wire: who gets them is decided elsewhere', [
    ...['broker/contract.ts', 'broker/messaging.ts'],
    'mqtt/',
  ]),
  'broker/session/': folderRule(
    'a session knows what waits for it and one way to its client: neither routes nor packets that come',
    [
      ...['runtime/', 'store/contract.ts', 'store/journal.ts', 'mqtt/', 'refusals/policy-refusal.ts', 'refusals/refusals.ts'],
      ...['broker/contract.ts', 'broker/messaging.ts', 'broker/message/'],
    ],
  ),
  'broker/routing/': folderRule(
    'routing finds who gets a message, and never who sent it: a publisher is one that can be made to wait',
    [
      ...['runtime/', 'store/contract.ts', 'store/journal.ts', 'store/pages.ts', 'mqtt/'],
      ...['broker/contract.ts', 'broker/messaging.ts', 'broker/message/', 'broker/session/'],
    ],
  ),
  'broker/connection/': folderRule(
    'a connection and the handlers of its packets see the broker by the interface of services.ts alone',
    [
      ...[
        'runtime/',
        'store/contract.ts',
        'store/journal.ts',
        'store/pages.ts',
        'mqtt/',
        'refusals/policy-refusal.ts',
        'refusals/refusals.ts',
      ],
      ...['broker/contract.ts', 'broker/messaging.ts', 'broker/message/', 'broker/session/', 'broker/routing/'],
    ],
    ['crypto'],
  ),
  'broker/': folderRule(
    'the broker puts its four layers together, and serves the API of the data plane',
    [
      ...[
        'domain.ts',
        'runtime/',
        'store/contract.ts',
        'store/journal.ts',
        'mqtt/',
        'refusals/policy-refusal.ts',
        'refusals/refusals.ts',
      ],
      ...['broker/contract.ts', 'broker/messaging.ts'],
      ...['broker/message/', 'broker/session/', 'broker/routing/', 'broker/connection/'],
    ],
    ['crypto'],
  ),
};
