/** A function of an authorizer's owner, behind real HTTP: it keeps the events that it gets, and answers as a test tells it. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AuthorizerEvent {
  readonly token?: string;
  readonly signatureVerified: boolean;
  readonly protocols: readonly string[];
  readonly protocolData: {
    readonly tls?: { readonly serverName?: string; readonly x509CertificatePem?: string; readonly principalId?: string };
    readonly http?: { readonly headers: Readonly<Record<string, string>>; readonly queryString?: string };
    readonly mqtt?: { readonly username?: string; readonly password?: string; readonly clientId?: string };
  };
  readonly connectionMetadata: { readonly id: string };
}

export interface Invocation {
  readonly event: AuthorizerEvent;
  readonly path: string;
  readonly body: string;
  readonly request: IncomingMessage;
}

/** Gives the answer's JSON, or answers by itself. */
export type Answer = (invocation: Invocation, response: ServerResponse) => unknown;

export class HttpFunction implements AsyncDisposable {
  readonly invocations: Invocation[] = [];
  answer: Answer;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  private constructor(answer: Answer) {
    this.answer = answer;
  }

  static async open(answer: Answer): Promise<HttpFunction> {
    const opened = new HttpFunction(answer);
    opened.#server.listen(0, '127.0.0.1');
    await once(opened.#server, 'listening');
    return opened;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Invocations for a client id. */
  for(clientId: string): Invocation[] {
    return this.invocations.filter(({ event }) => event.protocolData.mqtt?.clientId === clientId);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const invocation = { event: JSON.parse(body) as AuthorizerEvent, path: request.url ?? '', body, request };
    this.invocations.push(invocation);
    const answer = this.answer(invocation, response);
    if (answer !== undefined) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
