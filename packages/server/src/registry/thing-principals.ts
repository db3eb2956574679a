/** Principals of things: attaching one, and which certificates are on a thing. */
import { nameInPlace, parseArn, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction, WriteTransaction } from '../store/contract.ts';
import { getCertificate, isBeingTransferred } from './certificates.ts';
import { type ThingPrincipalRecord, thingPrincipals } from './store.ts';
import { getThing } from './things.ts';

/** A Cognito identity: `region:uuid`. */
const COGNITO = /^[a-z]{2}(?:-[a-z]{1,16}){1,3}-\d{1,2}:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Id of the certificate that a principal is, undefined for a Cognito identity; anything else is a bad request. */
export function certificateIn(principal: string, place: Place): string | undefined {
  const id = nameInPlace(principal, place, 'cert');
  if (id !== undefined || COGNITO.test(principal)) return id;
  return fail('InvalidRequestException', `Invalid principal: ${principal.slice(0, 256)}`);
}

export const principalTypeOf = ({ exclusive }: ThingPrincipalRecord): 'EXCLUSIVE_THING' | 'NON_EXCLUSIVE_THING' =>
  exclusive ? 'EXCLUSIVE_THING' : 'NON_EXCLUSIVE_THING';

/** Developer guide, page exclusive-thing: an exclusive thing is the only one of its principal. */
async function refuseClash(tx: ReadTransaction, wanted: ThingPrincipalRecord): Promise<void> {
  const prefix = [wanted.accountId, wanted.principal];
  // An exclusive attachment stands alone, so the first one tells all; the second shows one that is elsewhere.
  const { items } = await tx.scan(thingPrincipals, { index: 'byPrincipal', prefix, limit: 2 });
  const same = items.find((each) => each.thingName === wanted.thingName);
  if (same !== undefined && same.exclusive !== wanted.exclusive)
    fail('InvalidRequestException', `The principal is attached to the thing as ${principalTypeOf(same)}; detach it first`);
  const elsewhere = items.find((each) => each.thingName !== wanted.thingName);
  if (elsewhere !== undefined && (wanted.exclusive || elsewhere.exclusive))
    fail(
      'InvalidRequestException',
      `The principal is attached to another thing${elsewhere.exclusive ? ' exclusively' : ''}; detach it first`,
    );
}

/** Attaches a principal to a thing; one that is attached in the same way stays so. */
export async function attachThingPrincipal(
  tx: WriteTransaction,
  place: Place,
  { thingName, principal, exclusive }: Omit<ThingPrincipalRecord, 'accountId'>,
): Promise<void> {
  const { accountId } = place;
  const certificateId = certificateIn(principal, place);
  await getThing(tx, accountId, thingName);
  const certificate = certificateId === undefined ? undefined : await getCertificate(tx, accountId, certificateId);
  if (isBeingTransferred(certificate))
    fail('InvalidRequestException', `The certificate is being transferred to another account: ${principal}`);
  const wanted = { accountId, thingName, principal, exclusive };
  await refuseClash(tx, wanted);
  await tx.put(thingPrincipals, wanted);
}

/** Id of the certificate that a principal's ARN names; none for a Cognito identity. */
export const certificateIdsOf = (principal: string): string[] => {
  const arn = parseArn(principal);
  return arn?.type === 'cert' ? [arn.name] : [];
};

export async function certificatesOn(tx: ReadTransaction, accountId: string, thingName: string): Promise<string[]> {
  const { items } = await tx.scan(thingPrincipals, { prefix: [accountId, thingName] });
  return items.flatMap(({ principal }) => certificateIdsOf(principal));
}
