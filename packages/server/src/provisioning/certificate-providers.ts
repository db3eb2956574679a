/** Certificate providers: the function that signs devices' requests over MQTT, found and as the API shows it. */
import { iotArn, otherRegionIn, type Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadTransaction } from '../store/contract.ts';
import { certificateProviders, type CertificateProviderRecord } from './store.ts';

export const providerArn = (place: Place, name: string): string => iotArn(place, 'certificateprovider', name);

/** The one provider of an account, if it has one. */
export async function providerOf(tx: ReadTransaction, accountId: string): Promise<CertificateProviderRecord | undefined> {
  return (await tx.scan(certificateProviders, { prefix: [accountId], limit: 1 })).items[0];
}

export async function getProvider(tx: ReadTransaction, accountId: string, name: string): Promise<CertificateProviderRecord> {
  const found = await tx.get(certificateProviders, [accountId, name]);
  return found ?? fail('ResourceNotFoundException', `Certificate provider not found: ${name}`);
}

/** Fails with InvalidRequestException for a name that no function of the region has. */
export function checkProviderFunction(functionArn: string, place: Place, isFunctionName: (name: string) => boolean): string {
  // AWS's words (probe pf-iot-certificateprovider-lambda-region of cdk-preflight).
  if (otherRegionIn(functionArn, 'lambda', place) !== undefined)
    fail('InvalidRequestException', `${functionArn} does not contain expected region, ${place.region}`);
  return isFunctionName(functionArn)
    ? functionArn
    : fail('InvalidRequestException', 'lambdaFunctionArn is neither the ARN of a Lambda function nor an http or https URL');
}

export const providerSummary = (place: Place, { name }: Pick<CertificateProviderRecord, 'name'>) => ({
  certificateProviderName: name,
  certificateProviderArn: providerArn(place, name),
});

export const describeProvider = (place: Place, record: CertificateProviderRecord) => ({
  ...providerSummary(place, record),
  lambdaFunctionArn: record.functionArn,
  accountDefaultForOperations: ['CreateCertificateFromCsr' as const],
  creationDate: new Date(record.createdAt),
  lastModifiedDate: new Date(record.lastModifiedAt),
});
