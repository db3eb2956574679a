/** ListCertificates, and the tags of certificates: AddTagsToCertificate, RemoveTagsFromCertificate, ListTagsForCertificate. */
import { fail } from '@thingkeep/wire/errors.ts';
import type { Store } from '../store/contract.ts';
import { extendedKeyUsages, listedCertificate, certificateStatus } from './description.ts';
import {
  type AcmInput,
  optionalNumber,
  optionalStructure,
  optionalTags,
  optionalText,
  optionalWords,
  requiredArn,
  tagsWith,
} from './input.ts';
import { type AcmHandler, type AcmOptions, getServerCertificate, ownCertificateId } from './server-certificates.operations.ts';
import { type CertificateTag, type ServerCertificateRecord, serverCertificateArn, serverCertificates } from './store.ts';

const STATUSES = new Set(['PENDING_VALIDATION', 'ISSUED', 'INACTIVE', 'EXPIRED', 'VALIDATION_TIMED_OUT', 'REVOKED', 'FAILED']);
const KEY_TYPES = new Set(['RSA_1024', 'RSA_2048', 'RSA_3072', 'RSA_4096', 'EC_prime256v1', 'EC_secp384r1', 'EC_secp521r1']);
const EXTENDED_USAGES = new Set([
  'TLS_WEB_SERVER_AUTHENTICATION',
  'TLS_WEB_CLIENT_AUTHENTICATION',
  'CODE_SIGNING',
  'EMAIL_PROTECTION',
  'TIME_STAMPING',
  'OCSP_SIGNING',
  'ANY',
  'CUSTOM',
]);
/** Kinds of keys of a list that names none (ACM API, Filters, member keyTypes). */
const DEFAULT_KEY_TYPES: ReadonlySet<string> = new Set(['RSA_1024', 'RSA_2048']);

const MAX_ITEMS = 1000;

type Filter = (record: ServerCertificateRecord, now: number) => boolean;

function filterOf(input: AcmInput): Filter {
  const includes = optionalStructure(input, 'Includes');
  for (const member of ['keyUsage', 'exportOption', 'managedBy'])
    if (includes[member] !== undefined) fail('InvalidArgsException', `Certificates can not be selected by ${member} here.`);
  const statuses = optionalWords(input, 'CertificateStatuses', STATUSES);
  const keyTypes = optionalWords(includes, 'keyTypes', KEY_TYPES) ?? DEFAULT_KEY_TYPES;
  const usages = optionalWords(includes, 'extendedKeyUsage', EXTENDED_USAGES);
  return (record, now) =>
    (statuses?.has(certificateStatus(record, now)) ?? true) &&
    keyTypes.has(record.keyAlgorithm) &&
    (usages === undefined || extendedKeyUsages(record).some(({ Name }) => usages.has(Name)));
}

/** Whether a list is descending; fails unless both members of the order are given, or none. */
function isDescending(input: AcmInput): boolean {
  const by = optionalText(input, 'SortBy', 32);
  const order = optionalText(input, 'SortOrder', 32);
  if ((by === undefined) !== (order === undefined)) fail('ValidationException', 'SortBy and SortOrder come together.');
  if (by !== undefined && by !== 'CREATED_AT') fail('ValidationException', 'Certificates are sorted by CREATED_AT.');
  if (order !== undefined && order !== 'ASCENDING' && order !== 'DESCENDING')
    fail('ValidationException', 'SortOrder is ASCENDING or DESCENDING.');
  return order === 'DESCENDING';
}

const sameTag = (one: CertificateTag, { Key, Value }: CertificateTag): boolean =>
  one.Key === Key && (Value === undefined || (one.Value ?? '') === Value);

export function acmListingOperations({ store, clock, usedBy }: AcmOptions): Readonly<Record<string, AcmHandler>> {
  const changeTags = changer(store);
  return {
    async ListCertificates(input, caller) {
      const filter = filterOf(input);
      const reverse = isDescending(input);
      const limit = optionalNumber(input, 'MaxItems', 1, MAX_ITEMS) ?? MAX_ITEMS;
      const after = optionalText(input, 'NextToken', 10_000);
      const now = clock.now();
      return store.read(async (tx) => {
        const page = await tx.scan(serverCertificates, {
          skipDamaged: true,
          index: 'byCreation',
          prefix: [caller.accountId],
          limit,
          reverse,
          after,
        });
        const summaries: object[] = [];
        for (const record of page.items.filter((each) => filter(each, now))) {
          const users = await usedBy(tx, caller, serverCertificateArn(caller, record.id));
          summaries.push(listedCertificate(record, caller, now, users.length > 0));
        }
        return { CertificateSummaryList: summaries, NextToken: page.next };
      });
    },

    async ListTagsForCertificate(input, caller) {
      const arn = requiredArn(input);
      const id = ownCertificateId(arn, caller);
      const { tags } = await store.read((tx) => getServerCertificate(tx, caller.accountId, id, arn));
      return tags.length === 0 ? {} : { Tags: tags };
    },

    AddTagsToCertificate: (input, caller) => changeTags(input, caller, tagsWith),

    RemoveTagsFromCertificate: (input, caller) =>
      changeTags(input, caller, (before, removed) => before.filter((tag) => !removed.some((each) => sameTag(tag, each)))),
  };
}

type TagChange = (before: readonly CertificateTag[], given: readonly CertificateTag[]) => readonly CertificateTag[];

const changer =
  (store: Store) =>
  async (input: AcmInput, caller: Parameters<AcmHandler>[1], change: TagChange): Promise<object> => {
    const arn = requiredArn(input);
    const id = ownCertificateId(arn, caller);
    const given = optionalTags(input) ?? fail('InvalidParameterException', 'The member Tags is missing.');
    await store.write(async (tx) => {
      const record = await getServerCertificate(tx, caller.accountId, id, arn);
      await tx.put(serverCertificates, { ...record, tags: change(record.tags, given) });
    });
    return {};
  };
