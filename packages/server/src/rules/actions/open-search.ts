/** The openSearch and elasticsearch actions: a document, put by its id (developer guide, page opensearch-rule-action). */
import type { Place } from '@thingkeep/wire/arn.ts';
import { ActionError } from './action-error.ts';
import type { ActionTools, ActionType, Order, ParametersOf } from './contract.ts';
import { send } from './http-request.ts';
import { jsonOf } from './json-payload.ts';
import { serviceArn } from './role.ts';

type OpenSearchParameters = ParametersOf<'openSearch'>;

/** Host of a domain's endpoint at AWS: `search-{domain}-{id}.{region}.es.amazonaws.com`, or `vpc-...`. */
const AWS_HOST = /^(?:search|vpc)-([a-z0-9-]{3,28})-[a-z0-9]{26}\.([a-z0-9-]{1,32})\.es\.amazonaws\.com$/;

/** ARN of the document; where an endpoint is not AWS's, its host name stands for the domain's name. */
function documentArn({ parameters: { endpoint = '', index, type, id } }: Order<OpenSearchParameters>, place: Place): string {
  const { hostname = '', pathname = '' } = URL.parse(endpoint) ?? {};
  const below = pathname.replace(/\/$/, '');
  const [, domain = hostname, region = place.region] = AWS_HOST.exec(hostname) ?? [];
  return serviceArn('es', { ...place, region }, 'domain/', `${domain}${below}/${index}/${type}/${id}`);
}

/** The endpoint, when it is at or below one that the operator has named; `exempt` when it was named by its URL. */
function endpointOf(given: string, { aws }: ActionTools): { readonly url: URL; readonly exempt: boolean } {
  const url = URL.parse(given.endsWith('/') ? given : `${given}/`);
  const endpoints = aws.endpoints('es');
  const exempt = endpoints.some((text) => {
    const base = text === 'aws' ? null : URL.parse(text.endsWith('/') ? text : `${text}/`);
    return url !== null && base?.origin === url.origin && url.pathname.startsWith(base.pathname);
  });
  const isAws = endpoints.includes('aws') && url?.protocol === 'https:' && url.hostname.endsWith('.es.amazonaws.com');
  const isPlain = url !== null && `${url.username}${url.password}${url.search}${url.hash}` === '';
  if (!isPlain || !(exempt || isAws))
    throw new ActionError(`the endpoint is none that the server may use: it is started with --action-endpoints es=URL`, false);
  return { url, exempt };
}

/** One step of a path. What templates give may come from a device: it must neither be nothing nor lead elsewhere. */
function step(text: string, what: string): string {
  if (/^\.{0,2}$/.test(text)) throw new ActionError(`the ${what} is ${text === '' ? 'empty' : `"${text}"`}`, false);
  return encodeURIComponent(text);
}

async function put([order]: readonly [Order<OpenSearchParameters>, ...unknown[]], tools: ActionTools): Promise<void> {
  const { endpoint = '', index = '', type = '', id = '' } = order.parameters;
  if (jsonOf(order) === undefined) throw new ActionError('the result of the SQL is no JSON document', false);
  const { url, exempt } = endpointOf(endpoint, tools);
  url.pathname += `${step(index, 'index')}/${step(type, 'type')}/${step(id, 'id')}`;
  const body = order.payload;
  const signed = await tools.aws.sign(tools, { method: 'PUT', url, region: tools.place.region, service: 'es', body });
  const headers = { 'content-type': 'application/json', ...signed };
  const { status, body: said } = await send(tools.egress, url, { method: 'PUT', headers, body, signal: tools.signal, exempt });
  if (status >= 200 && status < 300) return;
  throw new ActionError(`HTTP status ${status} from ${url.host}: ${said.slice(0, 200)}`, status === 429 || status >= 500);
}

const action = (name: string): ActionType<OpenSearchParameters> => ({
  name,
  resource: ({ endpoint = '', index = '' }) => `${endpoint}/${index}`,
  permissions: (order, place) => [{ action: 'es:ESHttpPut', resource: documentArn(order, place) }],
  run: put,
});

export const openSearch = action('OpenSearchAction');
export const elasticsearch = action('ElasticsearchAction');
