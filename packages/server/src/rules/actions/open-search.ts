/** The openSearch and elasticsearch actions: a document, put by its id (developer guide, page opensearch-rule-action). */
import { ActionError, type ActionTools, type ActionType, type Order, type ParametersOf } from './contract.ts';
import { send } from './http-request.ts';
import { jsonOf } from './json-payload.ts';

type Parameters = ParametersOf<'openSearch'>;

/** The endpoint, when it is at or below one that the operator has named. */
function endpointOf(given: string, { aws }: ActionTools): URL {
  const url = URL.parse(given.endsWith('/') ? given : `${given}/`);
  const known = aws.endpoints('es').some((text) => {
    const base = text === 'aws' ? undefined : URL.parse(text.endsWith('/') ? text : `${text}/`);
    if (base === undefined) return url?.protocol === 'https:' && url.hostname.endsWith('.es.amazonaws.com');
    return url !== null && base?.origin === url.origin && url.pathname.startsWith(base.pathname);
  });
  if (url === null || !known)
    throw new ActionError(`the endpoint is none that the server may use: it is started with --action-endpoints es=URL`, false);
  return url;
}

/** One step of a path. What templates give may come from a device: it must neither be nothing nor lead elsewhere. */
function step(text: string, what: string): string {
  if (/^\.{0,2}$/.test(text)) throw new ActionError(`the ${what} is ${text === '' ? 'empty' : `"${text}"`}`, false);
  return encodeURIComponent(text);
}

async function put([order]: readonly [Order<Parameters>, ...unknown[]], tools: ActionTools): Promise<void> {
  const { endpoint = '', index = '', type = '', id = '' } = order.parameters;
  if (jsonOf(order) === undefined) throw new ActionError('the result of the SQL is no JSON document', false);
  const url = endpointOf(endpoint, tools);
  url.pathname += `${step(index, 'index')}/${step(type, 'type')}/${step(id, 'id')}`;
  const body = order.payload;
  const signed = tools.aws.sign(tools.place, { method: 'PUT', url, region: tools.place.region, service: 'es', body });
  const headers = { 'content-type': 'application/json', ...signed };
  const { status, body: said } = await send(url, { method: 'PUT', headers, body, signal: tools.signal });
  if (status >= 200 && status < 300) return;
  throw new ActionError(`HTTP status ${status} from ${url.host}: ${said.slice(0, 200)}`, status === 429 || status >= 500);
}

const action = (name: string): ActionType<Parameters> => ({
  name,
  resource: ({ endpoint = '', index = '' }) => `${endpoint}/${index}`,
  run: put,
});

export const openSearch = action('OpenSearchAction');
export const elasticsearch = action('ElasticsearchAction');
