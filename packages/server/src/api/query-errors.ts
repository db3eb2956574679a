/** Errors of the query protocol, by the codes that its services have for what the common front end refuses. */
import type { Rendered } from '@thingkeep/wire/api/render-response.ts';
import { queryService } from '@thingkeep/wire/api/table.ts';
import { ERRORS, type ErrorCode, ThingkeepError } from '@thingkeep/wire/errors.ts';
import { type Xml, xmlDocument } from './xml.ts';

/** XML namespaces by signing name. */
export const NAMESPACES: ReadonlyMap<string, string> = new Map([
  ['sts', queryService('sts').xmlNamespace],
  ['ec2', 'http://ec2.amazonaws.com/doc/2016-11-15/'],
  ['iam', queryService('iam').xmlNamespace],
]);

export const xmlAnswer = (status: number, body: string): Rendered => ({ status, headers: { 'content-type': 'text/xml' }, body });

interface Said {
  readonly code: string;
  readonly status: number;
}

/** The front end's codes as query services name them (General Reference, Common Errors; EC2 has its own word for a bad key). */
const SAID: ReadonlyMap<string, Said> = new Map([
  ['UnrecognizedClientException', { code: 'InvalidClientTokenId', status: 403 }],
  ['InvalidSignatureException', { code: 'SignatureDoesNotMatch', status: 403 }],
  ['MissingAuthenticationTokenException', { code: 'MissingAuthenticationToken', status: 403 }],
  ['IncompleteSignatureException', { code: 'IncompleteSignature', status: 400 }],
  ['ExpiredTokenException', { code: 'ExpiredToken', status: 403 }],
  ['AccessDeniedException', { code: 'AccessDenied', status: 403 }],
  // Of a service that is not here.
  ['UnknownOperationException', { code: 'InvalidAction', status: 400 }],
  ['InvalidAction', { code: 'InvalidAction', status: 400 }],
  ['InvalidRequestException', { code: 'MalformedInput', status: 400 }],
  ['InternalFailureException', { code: 'InternalFailure', status: 500 }],
  ['ServiceUnavailableException', { code: 'ServiceUnavailable', status: 503 }],
  ['RequestEntityTooLargeException', { code: 'RequestEntityTooLarge', status: 413 }],
]);

/** Words that EC2 has of its own (EC2 API reference, Error codes). */
const EC2: ReadonlyMap<string, Said> = new Map([
  ['InvalidClientTokenId', { code: 'AuthFailure', status: 401 }],
  ['SignatureDoesNotMatch', { code: 'AuthFailure', status: 401 }],
  ['AccessDenied', { code: 'UnauthorizedOperation', status: 403 }],
]);

/** Codes of IAM and STS themselves. */
const OWN: readonly ErrorCode[] = [
  'DeleteConflict',
  'EntityAlreadyExists',
  'InvalidInput',
  'InvalidUserType',
  'LimitExceeded',
  'MalformedPolicyDocument',
  'NoSuchEntity',
  'PackedPolicyTooLarge',
  'PasswordPolicyViolation',
  'PolicyNotAttachable',
  'ServiceFailure',
  'UnmodifiableEntity',
  'ValidationError',
];

const said = (code: ErrorCode): Said | undefined =>
  SAID.get(code) ?? (OWN.includes(code) ? { code, status: ERRORS[code].http } : undefined);

export function queryError(service: string, error: unknown, requestId: string): Rendered {
  const known = error instanceof ThingkeepError ? said(error.code) : undefined;
  const { code, status } =
    known === undefined ? { code: 'InternalFailure', status: 500 } : (service === 'ec2' && EC2.get(known.code)) || known;
  const message = known === undefined ? 'Internal failure. The request ID leads to the log.' : (error as ThingkeepError).message;
  if (service === 'ec2') {
    const errors: Xml = [
      [
        'Error',
        [
          ['Code', code],
          ['Message', message],
        ],
      ],
    ];
    return xmlAnswer(
      status,
      xmlDocument('Response', undefined, [
        ['Errors', errors],
        ['RequestID', requestId],
      ]),
    );
  }
  const content: Xml = [
    [
      'Error',
      [
        ['Type', status < 500 ? 'Sender' : 'Receiver'],
        ['Code', code],
        ['Message', message],
      ],
    ],
    ['RequestId', requestId],
  ];
  return xmlAnswer(status, xmlDocument('ErrorResponse', NAMESPACES.get(service), content));
}
