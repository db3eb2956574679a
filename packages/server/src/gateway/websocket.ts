/**
 * MQTT over WebSocket (developer guide, page protocols): the upgrades of an HTTP server. A signature is proven before the
 * upgrade is accepted; a certificate or a custom authorizer's credentials authenticate the CONNECT.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { WebSocketServer } from 'ws';
import type { Broker } from '../broker/broker.ts';
import type { Refusal } from '../refusals/refusals.ts';
import { signatureRefusal } from '../refusals/signature-refusal.ts';
import type { Logger } from '../runtime/log.ts';
import type { ConnectionAttempt } from './authentication/connection-attempt.ts';
import type { AuthenticatorRegistry } from './authentication/authenticator-registry.ts';
import type { AttemptReader } from './attempt-reader.ts';
import { plainAddress } from './peer.ts';
import { checkUpgrade, refuseUpgrade, SUBPROTOCOL } from './upgrade.ts';
import { attachWebSocket } from './websocket-channel.ts';

export interface WebSocketOptions {
  readonly broker: Broker;
  readonly attempts: AttemptReader;
  readonly authenticators: AuthenticatorRegistry;
  readonly refuse: (refusal: Refusal) => void;
  readonly log: Logger;
}

export interface WebSocketUpgrades {
  /** For the `upgrade` event of an HTTP server, with a connection on which no request waits for its answer. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void;
  /** Ends upgrades that are not accepted yet. */
  closeAll(): void;
}

const FRAMING = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  // The largest packet, and whatever small ones a client puts beside it.
  maxPayload: 256 * 1024,
  maxFragments: 1_024,
  maxBufferedChunks: 4_096,
  // Milliseconds that a peer gets to close after us, before the socket is taken away.
  closeTimeout: 2_000,
  handleProtocols: () => SUBPROTOCOL,
};

/** Errors about the form of a request. */
const ABOUT_FORM: ReadonlySet<string> = new Set([
  'InvalidRequestException',
  'MethodNotAllowedException',
  'UnknownOperationException',
]);

export function webSockets({ broker, attempts, authenticators, refuse, log }: WebSocketOptions): WebSocketUpgrades {
  const server = new WebSocketServer(FRAMING);
  const pending = new Set<Socket>();

  const record = (sourceIp: string, refusal: Omit<Refusal, 'protocol' | 'sourceIp'>): void =>
    refuse({ protocol: 'websocket', sourceIp, ...refusal });

  /** The attempt of an upgrade that may be accepted. Fails with the error of the response. */
  async function admit(request: IncomingMessage): Promise<ConnectionAttempt> {
    const attempt = attempts.fromRequest(request, 'websocket');
    checkUpgrade(attempt.http);
    const begun = await authenticators.beginWebSocket(attempt);
    if ('refused' in begun) {
      record(attempt.peer.sourceIp, begun.refused);
      return fail('ForbiddenException', 'Forbidden');
    }
    return begun;
  }

  /** Records a failure, and gives the error of the response: devices know one for all faults of signatures. */
  function responseError(error: unknown, sourceIp: string): unknown {
    if (!(error instanceof ThingkeepError)) {
      log.error({ err: error }, 'an upgrade could not be authorized');
      return error;
    }
    const { code, message } = error;
    if (code === 'ForbiddenException') return error;
    const form = ABOUT_FORM.has(code);
    record(sourceIp, form ? { check: 'protocol', reason: message } : signatureRefusal(error));
    return form ? error : new ThingkeepError('ForbiddenException', message);
  }

  async function serve(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    let attempt: ConnectionAttempt;
    try {
      attempt = await admit(request);
    } catch (error) {
      refuseUpgrade(socket, responseError(error, plainAddress(socket.remoteAddress)));
      return;
    }
    if (socket.destroyed) return;
    const authorizer = authenticators.connectAuthorizer(attempt);
    const transport = attempt.peer.secureTransport === false ? 'ws' : 'wss';
    server.handleUpgrade(request, socket, head, (opened) =>
      attachWebSocket(opened, broker.connections, attempt.peer, transport, authorizer),
    );
  }
  // Faults that the framing finds in a head that passed the checks above.
  server.on('wsClientError', (error, socket) =>
    refuseUpgrade(socket, new ThingkeepError('InvalidRequestException', error.message)),
  );

  return {
    upgrade: (request, socket, head) => {
      const gone = (): void => void socket.destroy();
      socket.on('error', gone);
      pending.add(socket);
      socket.once('close', () => pending.delete(socket));
      serve(request, socket, head)
        .catch((error: unknown) => {
          log.error({ err: error }, 'an upgrade could not be answered');
          socket.destroy();
        })
        .finally(() => pending.delete(socket));
    },
    closeAll: () => {
      for (const socket of pending) socket.destroy();
    },
  };
}
