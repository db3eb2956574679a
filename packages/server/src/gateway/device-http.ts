/**
 * HTTPS for devices: `POST /topics/{topic}` with a client certificate (developer guide, page http). Requests are parsed,
 * validated and answered by the same table as the API's; who asks is judged by certificate and policies.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { parseRequest, type RequestParts } from '@thingkeep/wire/api/parse-request.ts';
import { renderError } from '@thingkeep/wire/api/render-error.ts';
import type { Rendered } from '@thingkeep/wire/api/render-response.ts';
import { type Route, route } from '@thingkeep/wire/api/route.ts';
import type { Operation } from '@thingkeep/wire/api/table.ts';
import { iotArn } from '@thingkeep/wire/arn.ts';
import { fail, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { LIMITS } from '@thingkeep/wire/limits.ts';
import type { AdmissionRefusal, MessageAction, Peer } from '../broker/contract.ts';
import type { PublishInput, PublishMessage } from '../broker/operations.ts';
import type { Refusal } from '../refusals/refusals.ts';
import type { Logger } from '../runtime/log.ts';
import type { Identified, Login } from './admission/login.ts';
import { peerOf } from './peer.ts';

export interface DeviceHttpOptions {
  readonly log: Logger;
  readonly identify: (login: Login) => Promise<Identified | AdmissionRefusal>;
  readonly publish: PublishMessage;
  readonly refuse: (refusal: Refusal) => void;
}

/** A payload, and a little for those that are over the limit to be told so. */
const LARGEST_BODY = LIMITS.payload + 1024;

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > LARGEST_BODY) fail('RequestEntityTooLargeException', 'The payload exceeds the maximum size allowed');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_BODY) fail('RequestEntityTooLargeException', 'The payload exceeds the maximum size allowed');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function deviceHttp({ log, identify, publish, refuse }: DeviceHttpOptions): Listener {
  const turnAway = (peer: Peer, refusal: AdmissionRefusal['refused']): never => {
    refuse({
      protocol: 'https',
      sourceIp: peer.sourceIp,
      ...(peer.certificateId === undefined ? {} : { certificateId: peer.certificateId }),
      ...refusal,
    });
    return fail('ForbiddenException', 'Forbidden');
  };

  const authorize = (peer: Peer, who: Identified, action: MessageAction, topic: string): void => {
    const resource = iotArn(who.place, 'topic', topic);
    const { effect, ...statement } = who.rights.decide(action, resource);
    if (effect === 'ALLOWED') return;
    turnAway(peer, {
      check: 'policy',
      reason: `${action} on ${topic} is ${effect === 'EXPLICIT_DENY' ? 'denied by a statement' : 'not allowed by any statement'}`,
      ...who.place,
      principal: who.principal,
      action,
      resource,
      decision: effect,
      ...statement,
    });
  };

  async function answer(request: IncomingMessage, found: Route): Promise<void> {
    const peer = peerOf(request.socket as TLSSocket);
    const who = await identify({ peer, protocol: 'https' });
    if ('refused' in who) return turnAway(peer, who.refused);
    const body = await readBody(request);
    const input = parseRequest(found, partsOf(request, body)) as unknown as PublishInput;
    const { topic = '', retain = false } = input;
    authorize(peer, who, 'iot:Publish', topic);
    if (retain) authorize(peer, who, 'iot:RetainPublish', topic);
    await publish(who.place, input);
  }

  return (request, response) => {
    const requestId = randomUUID();
    let operation: Operation | undefined;
    const work = async (): Promise<Rendered> => {
      const found = route(request.method ?? '', pathOf(request), ['iot-data']);
      operation = found.operation;
      if (operation.name !== 'Publish')
        fail('UnknownOperationException', `${operation.name} is not implemented by Thingkeep yet`);
      await answer(request, found);
      // What AWS answers a device, seen on the wire; SDKs read no member of it.
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ message: 'OK', traceId: requestId }),
      };
    };
    void work()
      .catch((error: unknown): Rendered => {
        // A peer that left during its upload (the request has failed then) is no failure of ours.
        if (!(error instanceof ThingkeepError) && request.errored === null)
          log.error({ err: error, requestId }, 'a device request failed');
        return traced(renderError(operation, error), requestId);
      })
      .then(({ status, headers, body }) => {
        if (response.destroyed) return;
        const bytes = typeof body === 'string' ? Buffer.from(body) : body;
        // What is left of a body that was too large is not waited for.
        const close = request.complete ? {} : { connection: 'close' };
        response.writeHead(status, { ...headers, ...close, 'content-length': bytes.length, 'x-amzn-RequestId': requestId });
        response.end(bytes);
      })
      .catch((error: unknown) => {
        log.error({ err: error, requestId }, 'a device request could not be answered');
        response.destroy();
      });
  };
}

/** The data plane tells devices under which id a failure is found in the log (seen on the wire; in no model). */
const traced = (rendered: Rendered, requestId: string): Rendered => ({
  ...rendered,
  body: JSON.stringify({ ...(JSON.parse(String(rendered.body)) as object), traceId: requestId }),
});

const splitTarget = (request: IncomingMessage): [path: string, query: string] => {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  return mark < 0 ? [url, ''] : [url.slice(0, mark), url.slice(mark + 1)];
};
const pathOf = (request: IncomingMessage): string => splitTarget(request)[0];
const partsOf = (request: IncomingMessage, body: Uint8Array): RequestParts => ({
  query: splitTarget(request)[1],
  header: (name) => {
    const value = request.headers[name];
    return typeof value === 'string' ? value : value?.join(',');
  },
  body,
});
