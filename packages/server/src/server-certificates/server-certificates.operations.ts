/**
 * The operations of AWS Certificate Manager that domain configurations need: ImportCertificate, DescribeCertificate,
 * GetCertificate, ListCertificates, DeleteCertificate. Source: ACM API reference.
 */
import { randomUUID } from 'node:crypto';
import type { Caller } from '@thingkeep/wire/api/handlers.ts';
import type { Place } from '@thingkeep/wire/arn.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import type { ReadTransaction, Store, WriteTransaction } from '../store/contract.ts';
import { describedCertificate } from './description.ts';
import { type AcmInput, optionalArn, optionalPem, optionalTags, requiredArn, requiredPem, tagsWith } from './input.ts';
import { type ImportedCertificate, checkImportedCertificate } from './check-imported-certificate.ts';
import {
  type ServerCertificateRecord,
  serverCertificateArn,
  serverCertificateId,
  serverCertificates,
  serverKeys,
} from './store.ts';

/** An operation of a service without rows in the operation table; returns the answer before it is JSON. */
export type AcmHandler = (input: AcmInput, caller: Caller) => Promise<object>;

export interface AcmOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** ARNs of the domain configurations that serve a certificate. */
  readonly usedBy: (tx: ReadTransaction, place: Place, certificateArn: string) => Promise<readonly string[]>;
}

/** ACM user guide, quotas: certificates of an account and region. */
const MAX_CERTIFICATES = 2500;
const LARGEST = { certificate: 32_768, privateKey: 5_120, chain: 2_097_152 };

/** The id in a certificate's ARN of the caller's place; fails with InvalidArnException for any other text. */
export function ownCertificateId(arn: string, place: Place): string {
  const id = serverCertificateId(arn, place);
  if (id !== undefined) return id;
  return /^arn:[\w-]+:acm:[\w-]*:\d+:certificate\/[\w+=,.@-]+$/.test(arn)
    ? unknown(arn)
    : fail('InvalidArnException', 'The certificate ARN is not valid.');
}

const unknown = (arn: string): never => fail('ResourceNotFoundException', `Could not find certificate ${arn}.`);

export const getServerCertificate = async (
  tx: ReadTransaction,
  accountId: string,
  id: string,
  arn: string,
): Promise<ServerCertificateRecord> => (await tx.get(serverCertificates, [accountId, id])) ?? unknown(arn);

/** Fails unless a replacement has the kind of key and the names of the certificate before it (page import-reimport). */
function checkReplacement(before: ServerCertificateRecord, after: ImportedCertificate): void {
  if (before.keyAlgorithm !== after.keyAlgorithm)
    fail('ValidationException', 'A certificate can be replaced only by one with a key of the same algorithm and size.');
  const missing = before.hostNames.filter((name) => !after.hostNames.includes(name));
  if (missing.length > 0)
    fail('ValidationException', 'A certificate can be replaced only by one that names all of its domain names.');
}

async function keep(tx: WriteTransaction, record: ServerCertificateRecord, privateKeyPem: string): Promise<void> {
  const { accountId, id } = record;
  await tx.put(serverCertificates, record);
  await tx.put(serverKeys, { accountId, id, privateKeyPem });
}

const kept = ({ privateKeyPem: _apart, ...shown }: ImportedCertificate): Omit<ImportedCertificate, 'privateKeyPem'> => shown;

export function acmOperations({ store, clock, usedBy }: AcmOptions): Readonly<Record<string, AcmHandler>> {
  async function create(checked: ImportedCertificate, input: AcmInput, { accountId }: Caller): Promise<string> {
    const id = randomUUID();
    const now = clock.now();
    const tags = tagsWith([], optionalTags(input) ?? []);
    await store.write(async (tx) => {
      const { items } = await tx.scan(serverCertificates, { skipDamaged: true, prefix: [accountId] });
      if (items.length >= MAX_CERTIFICATES)
        fail('LimitExceededException', `An account can have at most ${MAX_CERTIFICATES} certificates.`);
      await keep(tx, { ...kept(checked), accountId, id, createdAt: now, importedAt: now, tags }, checked.privateKeyPem);
    });
    return id;
  }

  async function replace(checked: ImportedCertificate, arn: string, caller: Caller): Promise<void> {
    const id = ownCertificateId(arn, caller);
    await store.write(async (tx) => {
      const before = await getServerCertificate(tx, caller.accountId, id, arn);
      checkReplacement(before, checked);
      await keep(tx, { ...before, ...kept(checked), importedAt: clock.now() }, checked.privateKeyPem);
    });
  }

  return {
    async ImportCertificate(input, caller) {
      const arn = optionalArn(input);
      if (arn !== undefined && optionalTags(input) !== undefined)
        fail('InvalidParameterException', 'Tags can not be given when a certificate is replaced.');
      const checked = checkImportedCertificate(
        {
          certificate: requiredPem(input, 'Certificate', LARGEST.certificate),
          privateKey: requiredPem(input, 'PrivateKey', LARGEST.privateKey),
          chain: optionalPem(input, 'CertificateChain', LARGEST.chain),
        },
        clock.now(),
      );
      if (arn === undefined) return { CertificateArn: serverCertificateArn(caller, await create(checked, input, caller)) };
      await replace(checked, arn, caller);
      return { CertificateArn: arn };
    },

    async DescribeCertificate(input, caller) {
      const arn = requiredArn(input);
      const id = ownCertificateId(arn, caller);
      return store.read(async (tx) => {
        const record = await getServerCertificate(tx, caller.accountId, id, arn);
        return { Certificate: describedCertificate(record, caller, clock.now(), await usedBy(tx, caller, arn)) };
      });
    },

    async GetCertificate(input, caller) {
      const arn = requiredArn(input);
      const id = ownCertificateId(arn, caller);
      const { certificatePem, chainPem } = await store.read((tx) => getServerCertificate(tx, caller.accountId, id, arn));
      return { Certificate: certificatePem, CertificateChain: chainPem === '' ? undefined : chainPem };
    },

    async DeleteCertificate(input, caller) {
      const arn = requiredArn(input);
      const id = ownCertificateId(arn, caller);
      await store.write(async (tx) => {
        await getServerCertificate(tx, caller.accountId, id, arn);
        if ((await usedBy(tx, caller, arn)).length > 0)
          fail('ResourceInUseException', `The certificate ${arn} in account ${caller.accountId} is in use.`);
        await tx.delete(serverCertificates, [caller.accountId, id]);
        await tx.delete(serverKeys, [caller.accountId, id]);
      });
      return {};
    },
  };
}
