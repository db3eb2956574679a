/**
 * The lookup of a connection attempt's authorizer: the one that the client names, else the domain's, else the account's default.
 * Source: AWS IoT developer guide, pages custom-auth and iot-custom-endpoints-configurable-custom.
 */
import type { Place } from '@thingkeep/wire/arn.ts';
import { type AuthorizerRecord, findAuthorizer, findDefaultAuthorizer } from '../../../authorizers/store.ts';
import type { AdmissionRefusal } from '../../../broker/contract.ts';
import { findClaim } from '../../../store/claims.ts';
import type { Store } from '../../../store/contract.ts';
import { ALPN } from '../../listeners/alpn.ts';
import type { ConnectionAttempt } from '../connection-attempt.ts';

export interface AuthorizerPlaces {
  /** The server's own account and region: of an attempt that names neither. */
  readonly home: Place;
  readonly inRegion: (region: string) => Store;
}

export interface FoundAuthorizer {
  readonly place: Place;
  readonly authorizer: AuthorizerRecord;
}

const activate = (name: string): string => `activate it by aws iot update-authorizer --status ACTIVE --authorizer-name ${name}`;

/** A client with a certificate that offers ALPN `mqtt` has asked for an authorizer, and may not know it. */
const alpnText = (alpn: string | undefined): string =>
  alpn === ALPN.MQTT ? `; the ALPN protocol ${ALPN.MQTT} asks for an authorizer, ${ALPN.MQTT_X509} for a certificate` : '';

/** The parameters behind the user name, since a misspelt one names nothing. */
const sentText = (parameters: readonly string[]): string =>
  parameters.length === 0 ? '' : `; its user name has ${JSON.stringify(parameters.slice(0, 8).join(', ').slice(0, 256))}`;

const HOW_TO_NAME =
  'name one by ?x-amz-customauthorizer-name=NAME behind the user name, in the query or in a header, or set one by aws iot set-default-authorizer';

/** Longest name (API reference, AuthorizerName). */
const MAX_NAME = 128;

const refused = (reason: string, place?: Place): AdmissionRefusal => ({ refused: { check: 'authorizer', reason, ...place } });

/** The authorizer to ask; it is ACTIVE. */
export async function lookUpAuthorizer(
  places: AuthorizerPlaces,
  { alpn, domain, peer }: ConnectionAttempt,
  named: string | undefined,
  parameters: readonly string[] = [],
): Promise<FoundAuthorizer | AdmissionRefusal> {
  const mayName = domain === undefined || domain.allowAuthorizerOverride;
  const name = (mayName ? named : undefined) ?? domain?.defaultAuthorizerName;
  const own = domain?.place ?? places.home;
  if (name === undefined)
    return defaultAuthorizer(places, own, peer.certificateId !== undefined, `${sentText(parameters)}${alpnText(alpn)}`);
  if (name.length > MAX_NAME) return refused('the name of the authorizer is too long', domain?.place);
  const place = domain?.place ?? (await placeOf(places, name));
  const authorizer = await places.inRegion(place.region).read((tx) => findAuthorizer(tx, place.accountId, name));
  if (authorizer?.status === 'ACTIVE') return { place, authorizer };
  if (authorizer === undefined)
    return refused(`there is no authorizer ${name}: name one that aws iot list-authorizers shows`, domain?.place);
  return refused(`the authorizer ${name} is INACTIVE: ${activate(name)}`, place);
}

/**
 * The place of a name that comes without an account: that of the authorizer which holds the name, ACTIVE or not, even where
 * the server's own account has one of the name. Its own account counts for a name without a holder.
 */
async function placeOf({ inRegion, home }: AuthorizerPlaces, name: string): Promise<Place> {
  const claimed = await inRegion(home.region).read((tx) => findClaim(tx, 'authorizer', name));
  return claimed === undefined ? home : { accountId: claimed.accountId, region: claimed.region };
}

async function defaultAuthorizer(
  { inRegion }: AuthorizerPlaces,
  place: Place,
  certificateShown: boolean,
  sent: string,
): Promise<FoundAuthorizer | AdmissionRefusal> {
  const authorizer = await inRegion(place.region).read((tx) => findDefaultAuthorizer(tx, place.accountId));
  if (authorizer?.status === 'ACTIVE') return { place, authorizer };
  const name = authorizer?.authorizerName;
  if (name !== undefined) return refused(`the default authorizer ${name} is INACTIVE: ${activate(name)}`, place);
  if (certificateShown)
    return refused(`the client named no authorizer, and there is no default authorizer: ${HOW_TO_NAME}${sent}`, place);
  const reason = `the client showed no certificate and named no authorizer, and there is no default authorizer: give it a certificate, or ${HOW_TO_NAME}${sent}`;
  return { refused: { check: 'certificate-missing', reason } };
}
