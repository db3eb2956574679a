/**
 * Job documents (developer guide, page create-manage-jobs): what may be one, and the placeholders in it. Parameters of managed
 * templates are put in when the job is created.
 */
import { checkJson, JsonError, type JsonOf } from '@thingkeep/wire/api/parse-json.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { isObject } from '@thingkeep/wire/is-object.ts';

export const MAX_DOCUMENT = 32_768;

const invalid = (message: string): never => fail('InvalidRequestException', message);

/** The value of a document that is JSON, but for its numbers: devices get it as it was written. */
function readDocument(text: string): JsonOf<null> {
  try {
    return checkJson(text);
  } catch (error) {
    if (error instanceof JsonError) return invalid(`Job document is not valid JSON: ${error.message}`);
    throw error;
  }
}

/** Fails for a text that can be no document. */
export function checkDocument(text: string): void {
  if (Buffer.byteLength(text) > MAX_DOCUMENT) invalid(`Job document can have at most ${MAX_DOCUMENT} bytes`);
  if (!isObject(readDocument(text))) invalid('Job document has to be a JSON object');
}

/** A placeholder may have variables of its own inside: `${thingName}` in the key of an upload. */
export const PLACEHOLDER = /\$\{aws:iot:((?:\$\{[^{}"]*\}|[^{}"])*)\}/g;
const PARAMETER = 'parameter:';

/** Names of the placeholders in a text, without `aws:iot:`; those of presigned uploads may have others inside. */
const documentPlaceholders = (text: string): readonly string[] => [...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name);

/** Fails for a placeholder that does not end; one inside of another counts too. */
export function checkTerminated(text: string): void {
  const begun = text.split('${aws:iot:').length - 1;
  const ended = documentPlaceholders(text).reduce((sum, name) => sum + name.split('${aws:iot:').length, 0);
  // The text is the guide's (page software-package-catalog-troubleshooting).
  if (ended < begun) invalid('One or more parameters or placeholders are not terminated.');
}

/** A placeholder of a presigned URL: its version, and the URL of the object. */
export const URL_PLACEHOLDER = /^s3-presigned-url(-v1|-v2|-upload)?:(.*)$/s;
/** A placeholder that was meant as one, misspelt ones among them. */
export const LIKE_URL = /^s3-?presign/i;
/** Text for one that is none (page create-manage-jobs). */
export const BAD_URL = 'Provided argument for presigned url is invalid';
/** Presigned URLs of one document. */
export const MAX_URLS = 50;

/** Fails for placeholders that can't be resolved. Whether presigned URLs can be signed is checked in document-urls.ts. */
export function checkPlaceholders(text: string): void {
  checkTerminated(text);
  let urls = 0;
  for (const name of documentPlaceholders(text)) {
    if (name.startsWith(PARAMETER)) invalid('Parameters in job documents are for managed job templates.');
    if (URL_PLACEHOLDER.test(name)) urls += 1;
    else if (LIKE_URL.test(name)) invalid(BAD_URL);
  }
  if (urls > MAX_URLS) invalid(`Job document can have at most ${MAX_URLS} presigned urls`);
}

/** The document of a managed template with its parameters put in; optional ones that are not given are empty. */
export const withParameters = (text: string, parameters: Readonly<Record<string, string>>): string =>
  text.replace(PLACEHOLDER, (whole: string, name: string) => {
    if (!name.startsWith(PARAMETER)) return whole;
    const key = name.slice(PARAMETER.length);
    return JSON.stringify(Object.hasOwn(parameters, key) ? parameters[key] : '').slice(1, -1);
  });
