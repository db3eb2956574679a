/**
 * The little that AWS tools ask of other services before they reach AWS IoT, in the query protocol (form in, XML out):
 * STS GetCallerIdentity, EC2 DescribeAvailabilityZones. Every other action is refused as an unknown one.
 */
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import { parseQuery } from '@thingkeep/wire/api/percent.ts';
import type { Rendered } from '@thingkeep/wire/api/render-response.ts';
import { ThingkeepError } from '@thingkeep/wire/errors.ts';
import { type Xml, xmlDocument } from './xml.ts';

const NAMESPACES: ReadonlyMap<string, string> = new Map([
  ['sts', 'https://sts.amazonaws.com/doc/2011-06-15/'],
  ['ec2', 'http://ec2.amazonaws.com/doc/2016-11-15/'],
  ['iam', 'https://iam.amazonaws.com/doc/2010-05-08/'],
]);

export const isQueryService = (service: string | undefined): service is string =>
  service !== undefined && NAMESPACES.has(service);

const answer = (status: number, body: string): Rendered => ({ status, headers: { 'content-type': 'text/xml' }, body });

/** `us-east-1` -> `use1`, `us-gov-west-1` -> `usgw1`, as zone ids abbreviate regions. */
const shortRegion = (region: string): string => {
  const [area = '', ...rest] = region.split('-');
  const initials =
    rest
      .slice(0, -1)
      .join('')
      .match(/gov|iso|north|south|east|west|central/g) ?? [];
  return `${area}${initials.map((word) => word[0]).join('')}${rest.at(-1) ?? ''}`;
};

function zone(region: string, letter: string, index: number): Xml {
  return [
    ['groupName', region],
    ['messageSet', ''],
    ['networkBorderGroup', region],
    ['optInStatus', 'opt-in-not-required'],
    ['regionName', region],
    ['zoneId', `${shortRegion(region)}-az${index + 1}`],
    ['zoneName', `${region}${letter}`],
    ['zoneState', 'available'],
    ['zoneType', 'availability-zone'],
  ];
}

/** API reference of STS, GetCallerIdentity. */
function callerIdentity(caller: Caller): Xml {
  return [
    [
      'GetCallerIdentityResult',
      [
        ['Arn', caller.arn],
        ['UserId', caller.userId],
        ['Account', caller.accountId],
      ],
    ],
    ['ResponseMetadata', [['RequestId', caller.requestId]]],
  ];
}

/** API reference of EC2, DescribeAvailabilityZones; Terraform's AWS provider asks for the zones of its region. */
function availabilityZones(caller: Caller): Xml {
  const items = ['a', 'b', 'c'].map((letter, index): readonly [string, Xml] => ['item', zone(caller.region, letter, index)]);
  return [
    ['requestId', caller.requestId],
    ['availabilityZoneInfo', items],
  ];
}

const ACTIONS: ReadonlyMap<string, (caller: Caller) => Xml> = new Map([
  ['sts GetCallerIdentity', callerIdentity],
  ['ec2 DescribeAvailabilityZones', availabilityZones],
]);

/** Answers a signed request of a query service. Parameters come by query string and, with POST, as a form. */
export function answerQuery(service: string, query: string, body: Uint8Array, caller: Caller): Rendered {
  const form = new TextDecoder().decode(body).replaceAll('+', '%20');
  const parameters = [...(parseQuery(query) ?? []), ...(parseQuery(form) ?? [])];
  const value = (wanted: string): string => parameters.find(([name]) => name === wanted)?.[1] ?? '';
  const action = value('Action');
  const run = parameters.filter(([name]) => name === 'Action').length === 1 ? ACTIONS.get(`${service} ${action}`) : undefined;
  if (run !== undefined) return answer(200, xmlDocument(`${action}Response`, NAMESPACES.get(service), run(caller)));
  const version = value('Version').slice(0, 32);
  return queryError(
    service,
    new ThingkeepError('InvalidAction', `Could not find operation ${action.slice(0, 128)} for version ${version}`),
    caller.requestId,
  );
}

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
  ['InvalidAction', { code: 'InvalidAction', status: 400 }],
  ['InvalidRequestException', { code: 'MalformedInput', status: 400 }],
  ['RequestEntityTooLargeException', { code: 'RequestEntityTooLarge', status: 413 }],
]);

export function queryError(service: string, error: unknown, requestId: string): Rendered {
  const known = error instanceof ThingkeepError ? SAID.get(error.code) : undefined;
  const badKey = known?.code === 'InvalidClientTokenId' || known?.code === 'SignatureDoesNotMatch';
  const { code, status } =
    known === undefined
      ? { code: 'InternalFailure', status: 500 }
      : service === 'ec2' && badKey
        ? { code: 'AuthFailure', status: 401 }
        : known;
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
    return answer(
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
  return answer(status, xmlDocument('ErrorResponse', NAMESPACES.get(service), content));
}
