/** The http action: a POST to a URL whose owner has confirmed it (developer guide, pages https-rule-action, http_batching). */
import { isUtf8 } from 'node:buffer';
import { fail } from '@thingkeep/wire/errors.ts';
import { ActionError } from './action-error.ts';
import type { ActionTools, ActionType, Order, ParametersOf } from './contract.ts';
import { send } from './http-request.ts';

type Http = ParametersOf<'http'>;

/** Headers that are the connection's own. */
const RESERVED = new Set(['connection', 'content-length', 'host', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade']);
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a header may not hold is control characters
const HEADER_VALUE = /^[^\x00-\x08\x0a-\x1f\x7f]*$/;

function urlOf(text: string): URL | undefined {
  const url = URL.parse(text);
  return url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.hash !== ''
    ? undefined
    : url;
}

function headersOf({ headers = [] }: Http, isJson: boolean): Record<string, string> {
  const given: Record<string, string> = { 'content-type': isJson ? 'application/json' : 'application/octet-stream' };
  for (const { key = '', value = '' } of headers) {
    const name = key.toLowerCase();
    if (!HEADER_NAME.test(name) || RESERVED.has(name) || !HEADER_VALUE.test(value))
      throw new ActionError(`the header ${key} can not be sent`, false);
    given[name] = value;
  }
  return given;
}

/** API reference, BatchConfig. */
const BATCH = { openMs: 20, orders: 10, bytes: 5120 };
/** Milliseconds of all tries together (developer guide, page https-rule-action). */
const TIMEOUT = 3000;

/** A batch is an array of what the rule made of each message; text that is not JSON is a string, and bytes are one in Base64. */
function bodyOf(orders: readonly Order<Http>[], batched: boolean): Buffer {
  const [first] = orders;
  if (!batched && first !== undefined) return first.payload;
  const items = orders.map(({ payload, isJson }) =>
    isJson ? payload.toString('utf8') : JSON.stringify(payload.toString(isUtf8(payload) ? 'utf8' : 'base64')),
  );
  return Buffer.from(`[${items.join(',')}]`);
}

async function post(orders: readonly [Order<Http>, ...Order<Http>[]], tools: ActionTools): Promise<void> {
  // The headers are those of the last message (page http_batching).
  const { parameters, isJson, hostByRoot } = orders.at(-1) ?? orders[0];
  const { url: text = '', confirmationUrl, auth, enableBatching = false } = parameters;
  const url = urlOf(text);
  if (url === undefined) throw new ActionError('the URL is no http or https URL', false);
  if (!tools.destinations.isConfirmed(tools.place, url, confirmationUrl))
    throw new ActionError(tools.destinations.whyUnconfirmed(tools.place, url, confirmationUrl), false);
  const body = bodyOf(orders, enableBatching);
  const headers = headersOf(parameters, isJson || enableBatching);
  const { signingRegion: region = tools.place.region, serviceName: service = '' } = auth?.sigv4 ?? {};
  const toSign = { method: 'POST', url, region, service, body };
  const signed = auth?.sigv4 === undefined ? {} : await tools.aws.signAsRole(tools, toSign);
  const exempt = tools.destinations.isTrusted(url) || tools.egress.exempts(tools.place.accountId, hostByRoot);
  const sent = { method: 'POST', headers: { ...headers, ...signed }, body, signal: tools.signal, exempt };
  const answer = await send(tools.egress, url, sent);
  if (answer.status >= 200 && answer.status < 300) return;
  // Only these two kinds are tried again, and not after a long answer.
  const passing = (answer.status === 429 || answer.status >= 500) && answer.size <= 16_384;
  throw new ActionError(`HTTP status ${answer.status} from ${url.host}`, passing);
}

export const http: ActionType<Http> = {
  name: 'HttpAction',
  resource: ({ url = '' }) => url,
  // The receiver decides what the role that signs may do.
  permissions: () => [],
  roleArn: ({ auth }) => auth?.sigv4?.roleArn,
  address: ({ url }) => url,
  literal: ['key', 'auth'],
  check({ url = '', confirmationUrl, enableBatching = false, batchConfig }, place) {
    if (url.includes('${') && confirmationUrl === undefined)
      fail('InvalidRequestException', 'A url with a substitution template needs a confirmationUrl');
    const asked = confirmationUrl ?? url;
    if (!asked.includes('${') && urlOf(asked) === undefined) fail('InvalidRequestException', `${asked} is no http or https URL`);
    if (confirmationUrl !== undefined && !confirmationUrl.includes('${') && !url.startsWith(confirmationUrl))
      fail('InvalidRequestException', 'The url does not begin with the confirmationUrl');
    if (place === 'error action' && (enableBatching || batchConfig !== undefined))
      fail('InvalidRequestException', 'An error action has no batchConfig');
    if (batchConfig !== undefined && !enableBatching)
      fail('InvalidRequestException', 'batchConfig is for actions with enableBatching');
  },
  batching: ({ enableBatching = false, batchConfig = {} }) =>
    enableBatching
      ? {
          openMs: batchConfig.maxBatchOpenMs ?? BATCH.openMs,
          orders: batchConfig.maxBatchSize ?? BATCH.orders,
          bytes: batchConfig.maxBatchSizeBytes ?? BATCH.bytes,
          byTopic: !(batchConfig.batchAcrossTopics ?? false),
        }
      : undefined,
  timeoutMs: TIMEOUT,
  attempts: 3,
  attemptsWithinMs: TIMEOUT,
  run: post,
};
