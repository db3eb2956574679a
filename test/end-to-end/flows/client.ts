/** What a flow asks of an MQTT client, whichever one drives it, and where the server is. */
import type { Device } from '../devices.ts';
import type { TestServer } from '../test-core.ts';

export type Level = 4 | 5;
export type Qos = 0 | 1;
/**
 * MQTT over mutual TLS; the same on the HTTPS port by ALPN; WebSocket with a certificate; WebSocket signed with SigV4
 * (developer guide, page protocols).
 */
export type Transport = 'tls' | 'alpn' | 'wss' | 'sigv4';

/** Properties of a message that go from end to end [MQTT5 3.3.2.3]. Binary ones are text here, so that they go over a pipe. */
export interface MessageProperties {
  readonly userProperties?: readonly (readonly [string, string])[];
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: string;
  readonly payloadFormat?: 0 | 1;
  /** Seconds. */
  readonly expiry?: number;
}

export interface Outgoing {
  /** Empty where the alias alone names the topic. */
  readonly topic: string;
  readonly payload: string;
  readonly qos?: Qos;
  readonly retain?: boolean;
  readonly properties?: MessageProperties;
  readonly topicAlias?: number;
}

export interface Incoming {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  /** Those that the client shows and that were there. */
  readonly properties?: MessageProperties;
}

export interface ConnectOptions {
  /** Empty to be given one. */
  readonly clientId: string;
  /** Clean Session of MQTT 3.1.1, Clean Start of MQTT 5; true when absent. */
  readonly clean?: boolean;
  /** Seconds that the session outlives the connection; MQTT 5 alone. */
  readonly sessionExpiry?: number;
  /** Seconds. */
  readonly keepAlive?: number;
  readonly will?: Outgoing;
}

/** What CONNACK told, as far as the client shows it. */
export interface Welcome {
  readonly sessionPresent?: boolean;
  readonly assignedClientId?: string;
  readonly sessionExpiry?: number;
}

/** A DISCONNECT's reason code, `null` where the client does not show it; absent where the connection was just closed. */
export interface End {
  readonly reason?: number | null;
}

/** One connection. A refused or closed one rejects whatever waits for it, except `ended`. */
export interface FlowClient {
  readonly welcome: Welcome;
  /** The code of SUBACK. */
  subscribe(filter: string, qos: Qos): Promise<number>;
  unsubscribe(filter: string): Promise<void>;
  /** The reason code of PUBACK; 0 for QoS 0 and MQTT 3.1.1; `null` where the client does not show it. */
  publish(message: Outgoing): Promise<number | null>;
  next(): Promise<Incoming>;
  /** PINGREQ and PINGRESP. */
  ping(): Promise<void>;
  /** Resolves once the server has ended the connection. */
  ended(): Promise<End>;
  disconnect(options?: { readonly sessionExpiry?: number }): Promise<void>;
  /** Goes without a DISCONNECT. */
  drop(): Promise<void>;
}

export interface Place {
  readonly server: TestServer;
  /** May do all but what has to do with `denied/#`. */
  readonly device: Device;
}

/** A client program, on one version of MQTT and one transport. */
export interface Driver {
  readonly name: string;
  readonly level: Level;
  readonly transport: Transport;
  /** Flows that the client can't express, and why. */
  readonly cannot: Readonly<Record<string, string>>;
  open(place: Place): Promise<Driving>;
}

export interface Driving extends AsyncDisposable {
  connect(options: ConnectOptions): Promise<FlowClient>;
}
