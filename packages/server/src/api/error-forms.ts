/**
 * The form in which a client reads an error: that of its service, or, where the service is not here, that of the protocol which
 * it speaks. SDKs that read XML say nothing of an error in JSON but that they can't parse it.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { renderError, type RenderedError } from '@thingkeep/wire/api/render-error.ts';
import type { Rendered } from '@thingkeep/wire/api/render-response.ts';
import { servicesOfScope } from '@thingkeep/wire/api/route.ts';
import type { Operation } from '@thingkeep/wire/api/table.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { jsonError } from './json-services.ts';
import { queryError } from './query-errors.ts';
import { isQueryService } from './query-services.ts';
import { xmlDocument } from './xml.ts';

/** `s3` is XML without the frame of the query protocol. */
export type ErrorForm = 'query' | 'json' | 's3' | 'rest';

/** What decides the form of an error, and what stands in it. */
export interface ErrorContext {
  /** Of the scope that the request names, proven or not; absent where it names none. */
  readonly service: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly requestId: string;
  readonly operation?: Operation | undefined;
}

const FORM_CONTENT_TYPE = 'application/x-www-form-urlencoded';
/** Services of the protocol with paths and XML, whose errors have the frame of the query protocol. */
const REST_XML: ReadonlySet<string> = new Set(['cloudfront', 'route53']);

export function errorForm({ service, path, headers }: ErrorContext, isJsonService: boolean): ErrorForm {
  if (isQueryService(service)) return 'query';
  if (isJsonService) return 'json';
  if (service !== undefined && servicesOfScope(service).length > 0) return 'rest';
  if (service === 's3') return 's3';
  if (service !== undefined && REST_XML.has(service)) return 'query';
  if (path !== '/') return 'rest';
  if (headers['x-amz-target'] !== undefined) return 'json';
  return headers['content-type']?.toLowerCase().startsWith(FORM_CONTENT_TYPE) === true ? 'query' : 'rest';
}

/** Fails for a service of AWS that is not here. */
export const notServed = (service: string): never =>
  fail(
    'UnknownOperationException',
    `Thingkeep does not serve ${service}: it has AWS IoT, Lambda, IAM, STS, ACM and CloudWatch Logs, and is no endpoint for other services`,
  );

/** Errors of the API front by the names that S3 has for them (S3 API reference, page ErrorResponses). */
const S3_CODES: Readonly<Record<string, string>> = {
  AccessDeniedException: 'AccessDenied',
  ExpiredTokenException: 'ExpiredToken',
  IncompleteSignatureException: 'AuthorizationHeaderMalformed',
  InvalidRequestException: 'InvalidRequest',
  InvalidSignatureException: 'SignatureDoesNotMatch',
  MissingAuthenticationTokenException: 'AccessDenied',
  ServiceUnavailableException: 'ServiceUnavailable',
  UnrecognizedClientException: 'InvalidAccessKeyId',
};

/** An error of S3. An answer to HEAD has no body: its status alone says that nothing is served, not that an object is missing. */
function s3Error({ method, requestId }: ErrorContext, { code: ours, status, message }: RenderedError): Rendered {
  const code = S3_CODES[ours] ?? ours;
  const content = [
    ['Code', code],
    ['Message', message],
    ['RequestId', requestId],
  ] as const;
  const headers = { 'content-type': 'application/xml', 'x-amzn-errortype': code };
  const isUnserved = method === 'HEAD' && code === 'UnknownOperationException';
  return { status: isUnserved ? 501 : status, headers, body: xmlDocument('Error', undefined, content) };
}

/** An error in a form, and why the log should hear of it. */
export function errorInForm(form: ErrorForm, error: unknown, context: ErrorContext): Rendered & Pick<RenderedError, 'defect'> {
  const { service = '', headers: asked, requestId, operation } = context;
  if (form === 'query') return queryError(service, error, requestId);
  if (form === 'json') {
    const rendered = jsonError(error);
    // Version 1.0 of the protocol reads an answer of its own version alone.
    const is10 = asked['content-type']?.startsWith('application/x-amz-json-1.0') === true;
    const type: Record<string, string> = is10 ? { 'content-type': 'application/x-amz-json-1.0' } : {};
    return { ...rendered, headers: { ...rendered.headers, ...type, 'x-amzn-errortype': rendered.code } };
  }
  const rendered = renderError(operation, error);
  return form === 'rest' ? rendered : { ...s3Error(context, rendered), defect: rendered.defect };
}
