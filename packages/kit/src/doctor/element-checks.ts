/** Looks at the element: whether it answers, is locked, has the key, and whether the certificate is one for it. */
import { createPublicKey, hash, randomBytes, verify, X509Certificate } from 'node:crypto';
import { ElementError, type SecureElement } from '../elements/contract.ts';
import { elementSigner } from '../elements/element-signer.ts';
import { bad, type Finding, good, skipped, warning } from './findings.ts';

const DAY = 86_400_000;
/** Days before a certificate's end from which it is told of. */
const SOON = 30;

const refused = (check: string, error: unknown, hint?: string): Finding => {
  if (!(error instanceof ElementError)) throw error;
  return bad(check, error.message, error.hint ?? hint);
};

export async function checkIdentity(element: SecureElement): Promise<Finding> {
  try {
    const { maker, model, serialNumber, revision } = await element.identify();
    const number = serialNumber === '' ? '' : `, serial number ${serialNumber}`;
    return good('element', `${maker} ${model}${revision === '' ? '' : ` ${revision}`}${number}`);
  } catch (error) {
    return refused('element', error, 'is it powered, wired to this bus, and at this address?');
  }
}

export async function checkLocks(element: SecureElement): Promise<Finding> {
  try {
    const { isReady, parts } = await element.lockState();
    const open = parts.filter(({ isLocked }) => !isLocked).map(({ name }) => name);
    if (!isReady) return bad('locks', `not set up yet: ${open.join(', ')} not locked`, 'configure and lock the element first');
    return good('locks', parts.length === 0 ? 'elements of this kind have none' : `set up; open: ${open.join(', ') || 'none'}`);
  } catch (error) {
    return refused('locks', error);
  }
}

/** Whether the key is there and signs as its public key says. */
export async function checkKey(element: SecureElement, key: string): Promise<Finding> {
  try {
    const signer = await elementSigner(element, key);
    const bytes = randomBytes(32);
    const signature = await signer.sign({ bytes, hash: 'sha256', digest: hash('sha256', bytes, 'buffer') });
    const isRight = verify('sha256', bytes, createPublicKey({ key: signer.publicKey, format: 'der', type: 'spki' }), signature);
    return isRight
      ? good('key', `${key} signs`)
      : bad('key', `what ${key} signs does not verify under its public key`, 'make a new key, or change the element');
  } catch (error) {
    return refused('key', error, 'thingkit csr --new-key makes one');
  }
}

/** The certificate against the key, and its dates against the clock. */
export async function checkCertificate(element: SecureElement, key: string, pem: string, now: number): Promise<Finding[]> {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    return [bad('certificate', 'it is no certificate in PEM', 'give the file that AWS IoT or the factory has issued')];
  }
  const findings: Finding[] = [];
  try {
    const own = await element.publicKey(key);
    const isOwn = Buffer.from(certificate.publicKey.export({ format: 'der', type: 'spki' })).equals(own);
    findings.push(
      isOwn
        ? good('certificate', `${certificate.subject.replaceAll('\n', ', ')}, for the key ${key}`)
        : bad('certificate', `it is for another key than ${key}`, 'was a new key made since? Ask for a new certificate'),
    );
  } catch (error) {
    findings.push(skipped('certificate', `the key can't be read: ${(error as Error).message}`));
  }
  return [...findings, ...datesOf(certificate, now)];
}

function datesOf({ validFromDate, validToDate }: X509Certificate, now: number): Finding[] {
  const [from, to] = [validFromDate.getTime(), validToDate.getTime()];
  const here = new Date(now).toISOString();
  if (now < from)
    return [
      bad('dates', `the certificate begins ${validFromDate.toISOString()}, and the clock here says ${here}`, 'set the clock'),
    ];
  if (now > to)
    return [
      bad(
        'dates',
        `the certificate ended ${validToDate.toISOString()}; the clock here says ${here}`,
        'renew it, or set the clock',
      ),
    ];
  const days = Math.floor((to - now) / DAY);
  if (days < SOON) return [warning('dates', `the certificate ends in ${days} days`, 'renew it: docs/operate/certificates.md')];
  return [good('dates', `valid to ${validToDate.toISOString()}; the clock here says ${here}`)];
}
