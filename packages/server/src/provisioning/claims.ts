/**
 * Temporary provisioning claims: certificates that count for five minutes, and for the provisioning by one template alone. They
 * are in no list of certificates. Source: API reference CreateProvisioningClaim; developer guide, page provision-wo-cert.
 */
import { iotArn, type Place } from '@thingkeep/wire/arn.ts';
import type { Store } from '../store/contract.ts';
import type { DueHandler } from '../store/due-work.ts';
import type { NamedDocument } from '../policies/compile.ts';
import type { TemporaryCertificate, TemporaryCertificates } from './contract.ts';
import { PAYLOAD_FORMATS } from '../payloads/payloads.ts';
import { type ProvisioningClaimRecord, provisioningClaims } from './store.ts';

/** Milliseconds that a claim counts, and that its record is kept after that, to say why it counts no more. */
export const CLAIM_LASTS = 300_000;
export const CLAIM_IS_KEPT = 3_600_000;

export const CLAIM_KIND = 'provisioning-claim';

/** Claims are the same in each region. */
const ANY_REGION = 'us-east-1';

/** Exactly the provisioning by the template; a policy for each action, as a document may have 2,048 characters. */
function claimPolicies(place: Place, templateName: string): readonly NamedDocument[] {
  const requests = PAYLOAD_FORMATS.flatMap((format) => [
    `$aws/certificates/create/${format}`,
    `$aws/certificates/create-from-csr/${format}`,
    `$aws/provisioning-templates/${templateName}/provision/${format}`,
  ]);
  const answers = requests.flatMap((topic) => [`${topic}/accepted`, `${topic}/rejected`]);
  const allow = (Action: string, type: 'client' | 'topic' | 'topicfilter', names: readonly string[]): NamedDocument => {
    const Statement = [{ Effect: 'Allow', Action, Resource: names.map((name) => iotArn(place, type, name)) }];
    const policyName = `provisioning claim of template ${templateName}`;
    return { policyName, document: JSON.stringify({ Version: '2012-10-17', Statement }) };
  };
  return [
    allow('iot:Connect', 'client', ['*']),
    allow('iot:Publish', 'topic', requests),
    allow('iot:Receive', 'topic', answers),
    allow('iot:Subscribe', 'topicfilter', answers),
  ];
}

const temporary = ({ accountId, region, templateName, createdAt, expiresAt }: ProvisioningClaimRecord): TemporaryCertificate => ({
  place: { accountId, region },
  notBefore: createdAt,
  notAfter: expiresAt,
  policies: claimPolicies({ accountId, region }, templateName),
});

export const temporaryClaims = (inRegion: (region: string) => Store): TemporaryCertificates => ({
  find: async (certificateId) => {
    const record = await inRegion(ANY_REGION).read((tx) => tx.get(provisioningClaims, [certificateId]));
    return record === undefined ? undefined : temporary(record);
  },
});

/** Deletes the records of claims that have been over for a while. */
export const endedClaims = (inRegion: (region: string) => Store): DueHandler => ({
  kind: CLAIM_KIND,
  concurrency: 2,
  take: async ({ id }) => {
    await inRegion(ANY_REGION).write((tx) => tx.delete(provisioningClaims, [id]));
    return 'done';
  },
});
