/** GetRegistrationCode, DeleteRegistrationCode, RegisterCACertificate. */
import { randomBytes } from 'node:crypto';
import type { Caller, Handlers } from '@thingkeep/wire/api/handlers.ts';
import type { IotOperations } from '@thingkeep/wire/api/operation-types.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import type { ReadCertificate } from '../authority/read-certificate.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Store, WriteTransaction } from '../store/contract.ts';
import {
  caCertificateArn,
  newCaCertificate,
  proveOwnership,
  readCaCertificate,
  registrationConfig,
  subjectHashOf,
} from './ca-certificates.ts';
import { required } from './required.ts';
import { caCertificates, registrationCodes } from './store.ts';
import { putTags } from './tags.ts';

type Operations = Handlers<Pick<IotOperations, 'GetRegistrationCode' | 'DeleteRegistrationCode' | 'RegisterCACertificate'>>;

/** General Reference, "AWS IoT Core endpoints and quotas": CA certificates of one subject in an account. */
const MAX_OF_ONE_SUBJECT = 10;

/** The account's code: made when first asked for, the same from then on. */
async function codeOf(tx: WriteTransaction, accountId: string): Promise<string> {
  const found = await tx.get(registrationCodes, [accountId]);
  if (found !== undefined) return found.code;
  const code = randomBytes(32).toString('hex');
  await tx.put(registrationCodes, { accountId, code });
  return code;
}

export function caCertificateRegistrationOperations({ store, clock }: { store: Store; clock: Clock }): Operations {
  /** Refuses what is registered already, here or (unless shared by SNI_ONLY) in another account. */
  async function refuseTaken(tx: WriteTransaction, ca: ReadCertificate, mode: string, caller: Caller): Promise<void> {
    const id = ca.certificateId;
    const { items } = await tx.scan(caCertificates, { index: 'bySubject', prefix: [subjectHashOf(ca.subject)] });
    const same = items.filter((each) => each.certificateId === id);
    // Tools read the id from this text: `ID:` and the id, no space between them.
    if (same.some((each) => each.accountId === caller.accountId))
      fail('ResourceAlreadyExistsException', `CA certificate already registered. ID:${id}`, {
        resourceId: id,
        resourceArn: caCertificateArn(caller, id),
      });
    // Developer guide, page register-CA-cert: in DEFAULT mode one account of a region holds a CA certificate.
    if (mode === 'DEFAULT' && same.some((each) => each.mode === 'DEFAULT'))
      fail('ResourceAlreadyExistsException', `CA certificate already registered by another account. ID:${id}`, {
        resourceId: id,
      });
    if (items.filter((each) => each.accountId === caller.accountId).length >= MAX_OF_ONE_SUBJECT)
      fail('LimitExceededException', `At most ${MAX_OF_ONE_SUBJECT} CA certificates with the same subject can be registered.`);
  }

  return {
    async GetRegistrationCode(_input, caller) {
      const found = await store.read((tx) => tx.get(registrationCodes, [caller.accountId]));
      return { registrationCode: found?.code ?? (await store.write((tx) => codeOf(tx, caller.accountId))) };
    },

    async DeleteRegistrationCode(_input, caller) {
      await store.write((tx) => tx.delete(registrationCodes, [caller.accountId]));
      return {};
    },

    async RegisterCACertificate(input, caller) {
      const pem = required(input.caCertificate, 'caCertificate');
      const mode = input.certificateMode ?? 'DEFAULT';
      const proof = input.verificationCertificate;
      if (mode === 'DEFAULT' && proof === undefined)
        fail('InvalidRequestException', 'A verification certificate is required when certificateMode is DEFAULT.');
      if (mode === 'SNI_ONLY' && proof !== undefined)
        fail('InvalidRequestException', 'The verification certificate must be empty when certificateMode is SNI_ONLY.');
      const now = clock.now();
      const ca = readCaCertificate(pem, now);
      const given = {
        accountId: caller.accountId,
        certificatePem: pem,
        status: input.setAsActive ? 'ACTIVE' : 'INACTIVE',
        mode,
        autoRegistration: input.allowAutoRegistration ?? false,
        registrationConfig: registrationConfig(input.registrationConfig),
      } as const;
      const certificateArn = caCertificateArn(caller, ca.certificateId);
      await store.write(async (tx) => {
        await refuseTaken(tx, ca, mode, caller);
        if (proof !== undefined) proveOwnership(ca, proof, await codeOf(tx, caller.accountId), now);
        await tx.put(caCertificates, newCaCertificate(given, ca, now));
        await putTags(tx, caller.accountId, certificateArn, input.tags);
      });
      return { certificateArn, certificateId: ca.certificateId };
    },
  };
}
