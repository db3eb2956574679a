/** Bodies of fleet provisioning's requests: one that is none is a rejection. */
import { PayloadFault, type PayloadFormat, type Members, readMembers } from '../payloads/payloads.ts';
import { ProvisioningRejection } from './rejections.ts';

/** The members of a request; an empty payload has none. */
export function readRequest(payload: Buffer, format: PayloadFormat): Members {
  try {
    return readMembers(payload, format);
  } catch (error) {
    if (!(error instanceof PayloadFault)) throw error;
    const text = `The payload is invalid: ${error.message}`;
    throw new ProvisioningRejection('InvalidRequest', text, text, error.cause);
  }
}
