/** `thingkit doctor`, all checks in the order in which they stand between an element and a connection. */
import type { SecureElement } from '../elements/contract.ts';
import { checkCertificate, checkIdentity, checkKey, checkLocks } from './element-checks.ts';
import { bad, type Finding, good, skipped } from './findings.ts';
import { checkName, checkPort, checkServer, type Endpoint } from './network-checks.ts';

export interface ExaminationParts {
  readonly element: SecureElement;
  readonly key: string;
  /** The device's certificate, PEM; undefined where there is none. */
  readonly certificate: string | undefined;
  readonly endpoint: Endpoint | undefined;
  /** PEM; undefined for the roots that Node.js knows. */
  readonly rootCa: string | undefined;
  readonly now: number;
  /** Connects as the device; rejects with what the server or the library says. Absent where the key can't be used for TLS here. */
  readonly connect: (() => Promise<void>) | undefined;
  /** Why the server has refused the device, as it tells its owner; undefined where it may not be asked. */
  readonly reasons: (() => Promise<readonly string[]>) | undefined;
}

const isInTheWay = (findings: readonly Finding[]): boolean => findings.some(({ status }) => status === 'bad');

async function examineConnection(parts: ExaminationParts, soFar: readonly Finding[]): Promise<Finding[]> {
  const { connect, reasons } = parts;
  if (connect === undefined) return [skipped('connect', 'the key of this element can not be used for TLS by the kit')];
  if (isInTheWay(soFar)) return [skipped('connect', 'what is bad above comes first')];
  try {
    await connect();
    return [good('connect', 'connected, and disconnected again')];
  } catch (error) {
    const found = await reasons?.().catch((cause: unknown) => [`the server can't be asked: ${(cause as Error).message}`]);
    const hint =
      found === undefined
        ? 'thingkeep refusals --limit 5 on the server says why'
        : found.join('\n') || 'the server has noted no refusal: the connection may not have come as far';
    return [bad('connect', `the server does not take the connection: ${(error as Error).message}`, hint)];
  }
}

export async function examine(parts: ExaminationParts): Promise<Finding[]> {
  const { element, key, certificate, endpoint, rootCa, now } = parts;
  const findings: Finding[] = [await checkIdentity(element)];
  if (isInTheWay(findings))
    findings.push(skipped('locks', 'the element does not answer'), skipped('key', 'the element does not answer'));
  else findings.push(await checkLocks(element), await checkKey(element, key));
  if (certificate === undefined)
    findings.push(bad('certificate', 'there is none', 'thingkit provision writes one, or --certificate names a file'));
  else findings.push(...(await checkCertificate(element, key, certificate, now)));
  if (endpoint === undefined) return [...findings, skipped('name', 'no --endpoint was given')];
  const name = await checkName(endpoint);
  findings.push(name);
  if (name.status === 'bad') return [...findings, skipped('port', 'the name is not known')];
  const port = await checkPort(endpoint);
  findings.push(port);
  if (port.status === 'bad') return [...findings, skipped('tls', 'the port is not reached')];
  findings.push(...(await checkServer(endpoint, rootCa, now)));
  return [...findings, ...(await examineConnection(parts, findings))];
}
