/**
 * Fleet provisioning's requests over MQTT: create, create-from-csr and provision, each in JSON and CBOR. Answers go to the
 * requesting connection alone: they hold a private key, or the token that stands for one, and devices of a fleet share the claim
 * by which any of them may subscribe ("returns the results through the same MQTT connection", page fleet-provision-api).
 */
import { type TopicAnswer, type TopicRequest, topicService, type TopicService } from '../broker/messaging.ts';
import type { Refusal } from '../refusals/refusals.ts';
import { asRefusal, isDiskRefusal } from '../runtime/disk-failure.ts';
import type { Logger } from '../runtime/log.ts';
import type { FleetProvisioning } from './fleet-provisioning.ts';
import type { FleetRequester } from './ownership.ts';
import { PAYLOAD_FORMATS, type PayloadFormat, type Members, writePayload } from '../payloads/payloads.ts';
import { type ProvisioningRejection, rejectionOf } from './rejections.ts';
import { readRequest } from './request-body.ts';

interface TopicDeps {
  readonly fleet: FleetProvisioning;
  readonly refuse: (refusal: Refusal) => void;
  readonly log: Logger;
}

/**
 * The client that has asked; undefined where no connection waits for the answer, so that nothing is to be made for it, and where
 * it has no name that a token could be bound to.
 */
function requesterOf({ place, requester: { clientId, principal = '', chain } }: TopicRequest): FleetRequester | undefined {
  return clientId === undefined || principal === '' || chain !== undefined ? undefined : { place, clientId, principal };
}

function record({ refuse, log }: TopicDeps, request: TopicRequest, rejection: ProvisioningRejection): void {
  const { topic, place, requester } = request;
  const { clientId, principal, sourceIp } = requester;
  if (rejection.errorCode === 'InternalFailure' && rejection.cause !== undefined && !isDiskRefusal(rejection.cause))
    log.error({ err: rejection.cause, topic, clientId }, 'a provisioning request failed');
  const reason = `${topic}: ${rejection.reason}`;
  refuse({ check: 'provisioning', protocol: 'mqtt', ...place, clientId, principal, sourceIp, reason });
}

type Serve = (requester: FleetRequester, body: Members) => Promise<object>;

async function answer(
  deps: TopicDeps,
  request: TopicRequest,
  format: PayloadFormat,
  serve: Serve,
): Promise<readonly TopicAnswer[]> {
  const requester = requesterOf(request);
  if (requester === undefined) return [];
  const { topic, payload } = request;
  try {
    deps.fleet.mayRead(requester, payload.length);
    const accepted = await serve(requester, readRequest(payload, format));
    return [{ topic: `${topic}/accepted`, payload: writePayload(accepted, format), to: 'requester' }];
  } catch (error) {
    const rejection = rejectionOf(asRefusal(error));
    record(deps, request, rejection);
    return [{ topic: `${topic}/rejected`, payload: writePayload(rejection.payload, format), to: 'requester' }];
  }
}

export const fleetProvisioningTopics = (deps: TopicDeps): readonly TopicService[] =>
  PAYLOAD_FORMATS.flatMap((format) => [
    topicService(`$aws/certificates/create/${format}`, (request) =>
      answer(deps, request, format, (requester) => deps.fleet.createKeysAndCertificate(requester)),
    ),
    topicService(`$aws/certificates/create-from-csr/${format}`, (request) =>
      answer(deps, request, format, (requester, body) =>
        deps.fleet.createCertificateFromCsr(requester, body.certificateSigningRequest),
      ),
    ),
    topicService(`$aws/provisioning-templates/{templateName}/provision/${format}`, (request) =>
      answer(deps, request, format, (requester, body) =>
        deps.fleet.registerThing(requester, request.parts.templateName, body.certificateOwnershipToken, body.parameters),
      ),
    ),
  ]);
