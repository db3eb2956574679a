/** What the broker asks of the world around it: a channel to the peer, and an authorizer of each CONNECT. */
import type { Decision } from '@thingkeep/wire/api/authorization.ts';
import type { Connect } from '../mqtt/connect.ts';
import type { Refusal } from '../refusals/refusals.ts';

/** The way to one peer. The gateway makes it of a socket; tests make it of memory. */
export interface Channel {
  /** Sends buffers in order; `sent` is called once the peer's side has taken them. Not called again before that. */
  write(buffers: readonly Buffer[], sent: () => void): void;
  /** Stops and goes on with handing in what the peer sends. */
  pause(): void;
  resume(): void;
  /** Closes after what was written has left. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

/** How MQTT comes. */
export const TRANSPORTS = {
  mqtts: 'MQTT on the MQTT port',
  alpn: 'MQTT on the HTTPS port',
  wss: 'a WebSocket with TLS',
  ws: 'a WebSocket without TLS',
} as const;
export type Transport = keyof typeof TRANSPORTS;

/** What is known of a peer before its CONNECT. */
export interface Peer {
  readonly sourceIp: string;
  readonly sourcePort: number;
  /** False where the connection has no TLS; absent with it. */
  readonly secureTransport?: false;
  /** Server name that the client asked for, if it sent one. */
  readonly serverName?: string;
  /** SHA-256 of the client certificate's DER form, lowercase hexadecimal. */
  readonly certificateId?: string;
  /** Its DER form, asked of the connection: kept for every one of them, it would weigh more than all else. */
  readonly certificateDer?: () => Buffer | undefined;
  /** DER forms of the issuers that it has sent, the certificate's own first; kept only where they are asked for. */
  readonly issuers?: readonly Buffer[];
}

export type MessageAction = 'iot:Publish' | 'iot:Receive' | 'iot:RetainPublish' | 'iot:Subscribe';

/** Compiled permissions of one connection. */
export interface MessagePermissions {
  /** Whether answers change with time: then they are asked for anew about once a second. */
  readonly volatile: boolean;
  decide(action: MessageAction, resource: string): Decision;
}

/** What another run of the server needs to authorize a client anew, beside its certificate: plain data for it alone. */
export type Proof = Readonly<Record<string, unknown>>;

/** An admitted client: whose it is and what it may do. */
export interface Admission {
  readonly accountId: string;
  /** Region of the account's space that the client belongs to; the server's own when absent. */
  readonly region?: string;
  /** ARN of the certificate, or what other identity there is. */
  readonly principal: string;
  /** The principal as lifecycle events name it: the certificate's id, or what an IAM identity or authorizer has. */
  readonly principalId?: string;
  /** Thing that the principal belongs to exclusively, if any. */
  readonly thingName?: string;
  readonly permissions: MessagePermissions;
  /** Absent for a client that its certificate alone lets in. Stored with a will, and with nothing else. */
  readonly proof?: Proof | undefined;
  /** User properties that every message of the client gets (message enrichment). */
  readonly userProperties?: readonly (readonly [name: string, value: string])[];
  /** Set for a client that is let in for a while: it takes no client id that is another's, and its session ends with it. */
  readonly isGuest?: true | undefined;
  /** Seconds after which the connection is to be authorized anew. */
  readonly reauthorizeAfter?: number;
  /** Seconds after which the connection ends, counted from its begin alone, and the reason that is told then. */
  readonly endsAfter?: { readonly seconds: number; readonly why: DisconnectReason };
}

/** Why a CONNECT was refused, with what is known of its sender. */
export type ConnectRefusal = Omit<Refusal, 'protocol' | 'sourceIp'>;

export interface AdmissionRefusal {
  readonly refused: ConnectRefusal;
  /** Set where the connection is closed without a CONNACK, in MQTT 5 too. */
  readonly isSilent?: true;
}

/**
 * Authenticates and authorizes the CONNECT of one connection: handed in with the connection, it knows what the transport
 * proved of the peer. Asked again when permissions may have changed. Never rejects: a failure inside is a refusal too.
 */
export type ConnectAuthorizer = (connect: Connect) => Promise<Admission | AdmissionRefusal>;

/** What became of a request on a reserved topic: `failed` is a fault of the server, `refused` one of too many that wait. */
export const TOPIC_REQUEST_RESULTS = ['accepted', 'rejected', 'failed', 'refused'] as const;
export type TopicRequestResult = (typeof TOPIC_REQUEST_RESULTS)[number];

/** Why a connection ended, in AWS's words (developer guide, page life-cycle-events). */
export const DISCONNECT_REASONS = [
  'API_INITIATED_DISCONNECT',
  'AUTH_ERROR',
  'CLIENT_ERROR',
  'CLIENT_INITIATED_DISCONNECT',
  'CONNECTION_LOST',
  'CUSTOMAUTH_TTL_EXPIRATION',
  'DUPLICATE_CLIENTID',
  'FORBIDDEN_ACCESS',
  'MQTT_KEEP_ALIVE_TIMEOUT',
  'SERVER_ERROR',
  'SERVER_INITIATED_DISCONNECT',
  'THROTTLED',
  'WEBSOCKET_TTL_EXPIRATION',
] as const;
export type DisconnectReason = (typeof DISCONNECT_REASONS)[number];
