/** CreateProvisioningClaim. */
import type { Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { DeviceIssuer } from '../authority/authority.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store } from '../store/contract.ts';
import { schedule } from '../store/due-records.ts';
import { CLAIM_IS_KEPT, CLAIM_KIND, CLAIM_LASTS } from './claims.ts';
import { provisioningClaims } from './store.ts';
import { getTemplate } from './templates.ts';

/** Claims of an account whose records are kept. */
const MAX_CLAIMS = 1_000;

export interface ClaimOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly issuer: Pick<DeviceIssuer, 'issueWithNewKey'>;
}

async function checkTemplate(tx: ReadTransaction, accountId: string, templateName: string): Promise<void> {
  const { type, enabled } = await getTemplate(tx, accountId, templateName);
  if (type !== 'FLEET_PROVISIONING')
    fail('InvalidRequestException', `Provisioning template ${templateName} is not of the type FLEET_PROVISIONING`);
  if (!enabled) fail('InvalidRequestException', `Provisioning template ${templateName} is not enabled`);
  const { items } = await tx.scan(provisioningClaims, { index: 'byAccount', prefix: [accountId], limit: MAX_CLAIMS });
  if (items.length >= MAX_CLAIMS) fail('ThrottlingException', 'Rate exceeded');
}

export const claimOperations = ({
  store,
  clock,
  issuer,
}: ClaimOptions): Handlers<Pick<IotOperations, 'CreateProvisioningClaim'>> => ({
  async CreateProvisioningClaim({ templateName = '' }, caller) {
    const { accountId, region } = caller;
    await store.read((tx) => checkTemplate(tx, accountId, templateName));
    const { certificateId, certificatePem, publicKeyPem, privateKeyPem } = await issuer.issueWithNewKey();
    const now = clock.now();
    const expiresAt = now + CLAIM_LASTS;
    await store.write(async (tx) => {
      await checkTemplate(tx, accountId, templateName);
      await tx.put(provisioningClaims, { certificateId, accountId, region, templateName, createdAt: now, expiresAt });
      await schedule(tx, { kind: CLAIM_KIND, id: certificateId, accountId, at: expiresAt + CLAIM_IS_KEPT, data: {} });
    });
    // The private key goes into the answer and nowhere else.
    const keyPair = { PublicKey: publicKeyPem, PrivateKey: privateKeyPem };
    return { certificateId, certificatePem, keyPair, expiration: new Date(expiresAt) };
  },
});
