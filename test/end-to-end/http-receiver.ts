/** A receiver of HTTP requests: keeps them, and answers as a test tells it. Can be ended and begun again on its port. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from './until.ts';

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export class HttpReceiver implements AsyncDisposable {
  readonly received: Received[] = [];
  /** The status of the answer to a request; undefined for none at all. */
  status: (request: Received) => number | undefined = () => 200;
  /** The body of the answer to a request. */
  answer: (request: Received) => string = () => '';
  /** Where a redirect leads, when the status is of one. */
  location: string | undefined;
  /** Bytes of each body that are kept. */
  keeps = Number.POSITIVE_INFINITY;
  #server: Server | undefined;
  #port = 0;

  static async open(): Promise<HttpReceiver> {
    const receiver = new HttpReceiver();
    await receiver.begin();
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens, on the port of before if there was one. */
  async begin(): Promise<void> {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url: path = '', headers } = request;
        const received = { method, path, headers, body: Buffer.concat(chunks).subarray(0, this.keeps).toString() };
        this.received.push(received);
        const status = this.status(received);
        if (this.location !== undefined) response.setHeader('location', this.location);
        if (status !== undefined) response.writeHead(status).end(this.answer(received));
      });
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Is gone: nobody listens, and whoever was connected is cut off. */
  async end(): Promise<void> {
    this.#server?.close();
    this.#server?.closeAllConnections();
    if (this.#server?.listening) await once(this.#server, 'close');
  }

  /** The first request that fits. */
  got(fits: (request: Received) => boolean): Promise<Received> {
    return until('a request', () => this.received.find(fits), 20_000);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }
}
