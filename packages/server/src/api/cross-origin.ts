/**
 * Cross-origin rules (Fetch standard, section 3.3) for SDKs in browsers. Any origin may ask, for a request proves itself by
 * its signature; credentials that a browser adds by itself (cookies, client certificates) are never allowed.
 */

const EXPOSED = 'date,x-amzn-errortype,x-amzn-requestid,x-amz-request-id';
const METHODS = 'GET,HEAD,POST,PUT,PATCH,DELETE';
const HEADER_NAMES = /^[\w!#$%&'*+.^`|~-]+(?:\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/;

export const crossOriginHeaders = { 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED };

/** Headers that answer a preflight. */
export function preflightHeaders(requestedHeaders: string | undefined): Record<string, string> {
  const known = requestedHeaders !== undefined && requestedHeaders.length <= 2_048 && HEADER_NAMES.test(requestedHeaders);
  return {
    ...crossOriginHeaders,
    'access-control-allow-methods': METHODS,
    'access-control-allow-headers': known ? requestedHeaders : 'authorization,content-type,x-amz-date,x-amz-security-token',
    'access-control-max-age': '7200',
  };
}
