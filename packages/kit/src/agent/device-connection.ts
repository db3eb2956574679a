/**
 * A device's MQTT connection that comes back: with backoff and full jitter, for as long as it is wanted. What was subscribed to
 * is subscribed to again with each connection. A first connection that the service closes (just-in-time registration) is a
 * failed attempt as any other.
 */
import { readFileSync } from 'node:fs';
import type { mqtt5 } from 'aws-iot-device-sdk-v2';
import { AgentError } from './agent-error.ts';
import { type ConnectionSettings, clientConfig } from './connection-builder.ts';
import { loadSdk, type Sdk } from './load-sdk.ts';

export type ConnectionEvent =
  | { readonly kind: 'connected' }
  /** An attempt has failed; another follows. */
  | { readonly kind: 'failed'; readonly reason: string; readonly hint?: string }
  /** The service has not granted a subscription. */
  | { readonly kind: 'not-granted'; readonly filter: string }
  /** A connection that was there has ended; another follows unless the agent ends it. */
  | { readonly kind: 'lost'; readonly reason: string };

export interface DeviceMessage {
  readonly topic: string;
  readonly payload: Buffer;
}

export type MessageHandler = (message: DeviceMessage) => void;
export type Qos = 0 | 1;

/** Milliseconds that the end of a connection may take. */
const END_PATIENCE = 3_000;
/** Largest payload that AWS IoT takes. */
const MAX_PAYLOAD = 131_072;

/** What may be wrong where no attempt has ended yet. s2n holds a failure of TLS back for up to 30 s, against timing attacks. */
const SILENT = 'nothing answers there, or TLS fails, which is said after up to 30 s only: try a longer time, and see --root-ca';

/** What may be done about a failed attempt. */
function hintOf(name: string): string | undefined {
  if (/HANGUP|SOCKET_CLOSED|PROTOCOL|CONNACK/.test(name))
    return 'the service closed it: is the certificate registered and ACTIVE, and does its policy allow iot:Connect for this client id?';
  if (/TLS/.test(name)) return "see whether --root-ca is the server's, and the certificate is that of the key";
  if (/DNS|HOST|CONNECTION_REFUSED|NO_ROUTE|TIMEOUT/.test(name)) return 'see whether --endpoint is right and can be reached';
  return undefined;
}

const textOfError = (error: object): { reason: string; name: string } => {
  const { error_name: name = '', message = '' } = error as { error_name?: string; message?: string };
  return { reason: message === '' ? name : `${message}${name === '' ? '' : ` (${name})`}`, name };
};

/** Whether a topic is one of a filter (MQTT 5.0 section 4.7). */
export function matchesFilter(filter: string, topic: string): boolean {
  const [parts, levels] = [filter.split('/'), topic.split('/')];
  const open = parts.at(-1) === '#';
  if (open ? levels.length < parts.length - 1 : levels.length !== parts.length) return false;
  return parts.every((part, index) => part === '#' || part === '+' || part === levels[index]);
}

export class DeviceConnection implements AsyncDisposable {
  readonly clientId: string;
  readonly #client: mqtt5.Mqtt5Client;
  readonly #sdk: Sdk;
  readonly #handlers = new Map<string, { handlers: Set<MessageHandler>; qos: Qos }>();
  readonly #heard = new Set<{ readonly filter: string; readonly handler: MessageHandler }>();
  readonly #listeners = new Set<(event: ConnectionEvent) => void>();
  #isConnected = false;
  #lastReason = '';
  #isEnding = false;

  private constructor(sdk: Sdk, settings: ConnectionSettings) {
    this.#sdk = sdk;
    this.clientId = settings.clientId;
    this.#client = new sdk.mqtt5.Mqtt5Client(clientConfig(sdk, settings, (path) => readFileSync(path, 'utf8')));
    this.#client.on('connectionSuccess', () => void this.#begin());
    this.#client.on('connectionFailure', ({ error, connack }) => {
      const { reason, name } = textOfError(error);
      const refusal =
        connack === undefined ? '' : `CONNACK ${connack.reasonCode}${connack.reasonString ? ` ${connack.reasonString}` : ''}: `;
      this.#tell({ kind: 'failed', reason: `${refusal}${reason}`, hint: hintOf(name) });
    });
    this.#client.on('disconnection', ({ error, disconnect }) => {
      this.#isConnected = false;
      const said =
        disconnect === undefined
          ? ''
          : `DISCONNECT ${disconnect.reasonCode}${disconnect.reasonString ? ` ${disconnect.reasonString}` : ''}: `;
      if (!this.#isEnding) this.#tell({ kind: 'lost', reason: `${said}${textOfError(error).reason}` });
    });
    this.#client.on('messageReceived', ({ message }) => this.#take(message));
    // Node.js ends a process at an `error` event without a listener.
    this.#client.on('error', (error) => this.#tell({ kind: 'failed', reason: textOfError(error).reason }));
  }

  /** Begins to connect; `on` hears of each attempt. Throws AgentError where the library, the key or the certificate can't be used. */
  static async open(
    settings: ConnectionSettings,
    on: (event: ConnectionEvent) => void = () => undefined,
  ): Promise<DeviceConnection> {
    const connection = new DeviceConnection(await loadSdk(), settings);
    connection.#listeners.add(on);
    connection.#client.start();
    return connection;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Hears of each connection, failure and loss, until the function that it gives is called. */
  listen(listener: (event: ConnectionEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(event: ConnectionEvent): void {
    if ('reason' in event) this.#lastReason = event.reason;
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** Subscribes to what was subscribed to before; then the connection is there. */
  async #begin(): Promise<void> {
    try {
      for (const [filter, { qos }] of this.#handlers)
        if (!(await this.#subscribe(filter, qos))) this.#tell({ kind: 'not-granted', filter });
    } catch {
      // The connection was lost meanwhile; the next one begins anew.
      return;
    }
    this.#isConnected = true;
    this.#tell({ kind: 'connected' });
  }

  #take({ topicName, payload }: mqtt5.PublishPacket): void {
    const bytes = payload as ArrayBuffer | undefined;
    // An empty payload comes as a detached buffer, of which nothing can be made.
    const message = {
      topic: topicName,
      payload: bytes === undefined || bytes.byteLength === 0 ? Buffer.alloc(0) : Buffer.from(bytes),
    };
    for (const [filter, { handlers }] of this.#handlers)
      if (matchesFilter(filter, topicName)) for (const handler of [...handlers]) handler(message);
    for (const { filter, handler } of [...this.#heard]) if (matchesFilter(filter, topicName)) handler(message);
  }

  /** Resolves with the first connection; rejects with the last reason after `milliseconds`, or when `signal` is aborted. */
  connected({ milliseconds, signal }: { milliseconds?: number; signal?: AbortSignal } = {}): Promise<void> {
    if (this.#isConnected) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const because = (what: string): AgentError => {
      const isSilent = this.#lastReason === '';
      return new AgentError('connection', isSilent ? what : `${what}; last: ${this.#lastReason}`, {
        hint: isSilent ? SILENT : hintOf(this.#lastReason),
      });
    };
    const stop = this.listen(({ kind }) => kind === 'connected' && resolve());
    const onAbort = (): void => reject(because('interrupted before there was a connection'));
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
    const timer =
      milliseconds === undefined
        ? undefined
        : setTimeout(() => reject(because(`no connection within ${milliseconds / 1000} s`)), milliseconds);
    return promise.finally(() => {
      stop();
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    });
  }

  /** Publishes; with QoS 1 it is acknowledged, and waits for a connection where there is none. Throws AgentError. */
  async publish(topic: string, payload: string | Buffer, qos: Qos = 1): Promise<void> {
    const bytes = Buffer.from(payload);
    if (bytes.length > MAX_PAYLOAD)
      throw new AgentError('content', `a message has at most ${MAX_PAYLOAD} bytes, not ${bytes.length}`);
    let result: unknown;
    try {
      result = await this.#client.publish({ topicName: topic, payload: bytes, qos });
    } catch (error) {
      throw new AgentError('connection', `${topic} was not published: ${textOfError(error as object).reason}`, { cause: error });
    }
    const { reasonCode = 0 } = (result ?? {}) as { reasonCode?: number };
    if (reasonCode >= 0x80)
      throw new AgentError('refused', `the service refused the message on ${topic} (PUBACK ${reasonCode})`, {
        hint: 'does the policy of the certificate allow iot:Publish on it?',
      });
  }

  async #subscribe(filter: string, qos: Qos): Promise<boolean> {
    const { reasonCodes } = await this.#client.subscribe({ subscriptions: [{ topicFilter: filter, qos }] });
    return (reasonCodes[0] ?? 0x80) < 0x80;
  }

  /** Hears messages that come without a subscription, as answers of jobs and streams do, until the function is called. */
  hear(filter: string, handler: MessageHandler): () => void {
    const heard = { filter, handler };
    this.#heard.add(heard);
    return () => this.#heard.delete(heard);
  }

  /**
   * Subscribes, now and with each connection to come; the function that it gives takes the handler away. Throws AgentError
   * `refused`.
   */
  async subscribe(filter: string, handler: MessageHandler, qos: Qos = 1): Promise<() => void> {
    const there = this.#handlers.get(filter);
    const { handlers } = there ?? { handlers: new Set<MessageHandler>() };
    handlers.add(handler);
    const stop = (): void => void handlers.delete(handler);
    if (there !== undefined) return stop;
    this.#handlers.set(filter, { handlers, qos });
    if (!this.#isConnected) return stop;
    // Where the connection is lost meanwhile, the next one subscribes.
    const isGranted = await this.#subscribe(filter, qos).catch(() => true);
    if (isGranted) return stop;
    this.#handlers.delete(filter);
    throw new AgentError('refused', `the service refused the subscription to ${filter}`, {
      hint: 'does the policy of the certificate allow iot:Subscribe on it?',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#client.once('stopped', () => resolve());
    const timer = setTimeout(resolve, END_PATIENCE);
    this.#client.stop({ reasonCode: this.#sdk.mqtt5.DisconnectReasonCode.NormalDisconnection });
    await promise;
    clearTimeout(timer);
    this.#client.close();
  }
}
