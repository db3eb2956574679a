/** Percent-encoding in request targets and in `x-amz-tagging`: RFC 3986 section 2.1, UTF-8, nothing guessed. */

/** The text, or undefined when an escape is malformed or the bytes are no UTF-8. */
export function percentDecode(text: string): string | undefined {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** All but the unreserved characters escaped, as a canonical request has it. */
export const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

/** Names and values of a raw query (without `?`), in order; undefined when an escape is malformed. */
export function parseQuery(query: string): [name: string, value: string][] | undefined {
  const pairs: [string, string][] = [];
  for (const part of query.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = percentDecode(equals < 0 ? part : part.slice(0, equals));
    const value = equals < 0 ? '' : percentDecode(part.slice(equals + 1));
    if (name === undefined || value === undefined) return undefined;
    pairs.push([name, value]);
  }
  return pairs;
}

/**
 * Tags of an `x-amz-tagging` header (`key1=value1&key2=value2`, encoded like a query; API reference CreateTopicRule);
 * undefined when it is none.
 */
export function parseTagging(header: string): { Key: string; Value: string }[] | undefined {
  const pairs = parseQuery(header.replaceAll('+', '%20'));
  if (pairs === undefined || pairs.some(([name]) => name === '')) return undefined;
  return pairs.map(([Key, Value]) => ({ Key, Value }));
}
