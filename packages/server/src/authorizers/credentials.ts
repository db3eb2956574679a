/**
 * Reads what a client sends for a custom authorizer: the authorizer's name, the token and its signature, from headers or
 * the query of an HTTP request, or from a query behind the MQTT user name. Source: AWS IoT developer guide, page custom-auth.
 */

/** The head of an HTTP request: lower-case names of headers with every value, and the raw query without `?`. */
export interface Head {
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly query: string;
}

const PREFIX = 'x-amz-customauthorizer-';
const NAME = `${PREFIX}name`;
const SIGNATURE = `${PREFIX}signature`;

/** Length of a parameter at most; a token may have 6,144 characters (API reference, TestInvokeAuthorizer). */
const LONGEST = 8 * 1024;

/** Parameters by name; the first of a name counts. */
export type RequestParameters = ReadonlyMap<string, string>;

export interface CustomCredentials {
  readonly authorizerName?: string;
  /** Base64, as sent. */
  readonly signature?: string;
  /** The token, by the authorizer's token key name. */
  token(tokenKeyName: string): string | undefined;
}

/** Decodes a value of a URL; one with a wrong encoding is returned as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/**
 * The parameters of a query. A plus sign stays one: signatures are base64, and many clients send them as they are.
 */
export function queryParameters(query: string): RequestParameters {
  const found = new Map<string, string>();
  for (const pair of query.split('&')) {
    const mark = pair.indexOf('=');
    if (mark < 0 || pair.length > LONGEST) continue;
    const name = decoded(pair.slice(0, mark));
    if (!found.has(name)) found.set(name, decoded(pair.slice(mark + 1)));
  }
  return found;
}

/** The query behind an MQTT user name, without its question mark; empty when there is none. */
export function queryOfUserName(userName: string | undefined): string {
  const mark = userName?.indexOf('?') ?? -1;
  return userName === undefined || mark < 0 ? '' : userName.slice(mark + 1);
}

function headerParameters(headers: Head['headers']): RequestParameters {
  return new Map([...headers].map(([name, values]) => [name, values[0] ?? '']));
}

const namesIn = (parameters: RequestParameters): boolean => [...parameters.keys()].some((name) => name.startsWith(PREFIX));

/** Whether an HTTP head or an MQTT user name has any parameter of custom authorizers. */
export const carriesCustomCredentials = (http: Head | undefined, userName?: string): boolean =>
  (http !== undefined && (namesIn(headerParameters(http.headers)) || namesIn(queryParameters(http.query)))) ||
  namesIn(queryParameters(queryOfUserName(userName)));

/** Names of the parameters behind an MQTT user name: never their values, which are secrets. */
export const parameterNames = (userName: string | undefined): string[] => [...queryParameters(queryOfUserName(userName)).keys()];

/** The credentials of a login. A header precedes the query, and the query the user name. */
export function customCredentials(http: Head | undefined, userName: string | undefined): CustomCredentials {
  const places: readonly RequestParameters[] = [
    ...(http === undefined ? [] : [headerParameters(http.headers), queryParameters(http.query)]),
    queryParameters(queryOfUserName(userName)),
  ];
  const find = (name: string): string | undefined => {
    for (const place of places) {
      const value = place.get(name);
      if (value !== undefined && value !== '') return value;
    }
    return undefined;
  };
  const authorizerName = find(NAME);
  const signature = find(SIGNATURE);
  return {
    authorizerName,
    signature,
    // Names of headers are not case-sensitive; token key names are as the authorizer has them.
    token: (tokenKeyName) => find(tokenKeyName) ?? places[0]?.get(tokenKeyName.toLowerCase()),
  };
}
