/** The refusal of a request whose signature proves nothing: its record is for the account of the key that it names. */
import { notesOf, recordedMessage, type ThingkeepError } from '@thingkeep/wire/errors.ts';
import type { Refusal } from './refusals.ts';

/** Key ids as AWS has them (API reference of IAM, AccessKey); a date with time has 16 characters. */
const KEY_ID = /\b([A-Z0-9]{8})[A-Z0-9]{9,120}\b/g;

/** Where the key is not here, every account may see the record: no more of key ids than their beginning. */
export function signatureRefusal(error: ThingkeepError): Pick<Refusal, 'check' | 'reason' | 'accountId' | 'isUnproven'> {
  const { accountId } = notesOf(error);
  const reason = `${error.code}: ${recordedMessage(error)}`;
  return accountId === undefined
    ? { check: 'signature', reason: reason.replace(KEY_ID, '$1…') }
    : { check: 'signature', reason, accountId, isUnproven: true };
}
