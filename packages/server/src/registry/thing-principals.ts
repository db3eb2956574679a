/** Which certificates are on a thing: policies may read the thing's name, type and attributes. */
import { parseArn } from '@thingkeep/wire/arn.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { thingPrincipals } from './store.ts';

/** Id of the certificate that a principal's ARN names; none for a Cognito identity. */
export const certificateIdsOf = (principal: string): string[] => {
  const arn = parseArn(principal);
  return arn?.type === 'cert' ? [arn.name] : [];
};

export async function certificatesOn(tx: ReadTransaction, accountId: string, thingName: string): Promise<string[]> {
  const { items } = await tx.scan(thingPrincipals, { prefix: [accountId, thingName] });
  return items.flatMap(({ principal }) => certificateIdsOf(principal));
}
