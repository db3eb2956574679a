/** When certificates expire, as their PEM text says. */
import { X509Certificate } from 'node:crypto';

/** Texts whose answer is remembered. */
const MAX_KNOWN = 1_000;
const known = new Map<string, number>();

/** Milliseconds since the epoch: the end of the first certificate of the text. Fails for a text without one. */
export function notAfterOf(pem: string): number {
  const before = known.get(pem);
  if (before !== undefined) return before;
  const end = new X509Certificate(pem).validToDate.getTime();
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(pem, end);
  return end;
}
