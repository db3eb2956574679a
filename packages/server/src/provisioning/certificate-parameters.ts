/**
 * The reserved parameters of just-in-time provisioning, from a certificate's subject: read from DER, never from a printed name.
 * Source: AWS IoT developer guide, page jit-provisioning. Pure.
 */
import { readDistinguishedName } from '@thingkeep/x509/names.ts';
import { decodeString } from '@thingkeep/x509/strings.ts';

const PREFIX = 'AWS::IoT::Certificate::';

/** Attributes of the subject by their object identifier (RFC 5280, appendix A.1). */
const PARAMETERS: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CommonName',
  '2.5.4.5': 'SerialNumber',
  '2.5.4.6': 'Country',
  '2.5.4.8': 'StateName',
  '2.5.4.10': 'Organization',
  '2.5.4.11': 'OrganizationalUnit',
  '2.5.4.46': 'DistinguishedNameQualifier',
};

function textOf(tag: number, content: Buffer): string | undefined {
  try {
    return decodeString(tag, content);
  } catch {
    return undefined;
  }
}

/** Parameters by name; of several attributes of one type the first counts. `subject` is a whole DER name. */
export function certificateParameters(subject: Buffer, certificateId: string): Record<string, string> {
  const found = new Map<string, string>();
  for (const { type, tag, content } of readDistinguishedName(subject)) {
    const name = PARAMETERS[type];
    const value = textOf(tag, content);
    if (name !== undefined && value !== undefined && !found.has(name)) found.set(name, value);
  }
  found.set('Id', certificateId);
  return Object.fromEntries([...found].map(([name, value]) => [`${PREFIX}${name}`, value]));
}
