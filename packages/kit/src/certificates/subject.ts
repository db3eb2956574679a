/** A subject as people write it: openssl's form, `/C=US/O=Example Inc/CN=device-1`. */
import { type AttributeType, distinguishedName, isAttributeType, NameError, type NameAttribute } from '@thingkeep/x509/names.ts';

/** Parts between slashes, of which `\/` and `\\` stand for themselves. */
function partsOf(text: string): string[] {
  if (!text.startsWith('/')) throw new NameError(`the subject ${text} does not begin with /, as in /O=Example Inc/CN=device-1`);
  const parts: string[] = [];
  let part = '';
  for (let at = 1; at < text.length; at += 1) {
    if (text[at] === '\\' && at + 1 < text.length) {
      at += 1;
      part += text[at];
    } else if (text[at] === '/') {
      parts.push(part);
      part = '';
    } else part += text[at];
  }
  return [...parts, part];
}

/** The attributes of a subject, in order. Throws NameError. */
export function parseSubject(text: string): NameAttribute[] {
  return partsOf(text).map((part) => {
    const at = part.indexOf('=');
    const type = part.slice(0, Math.max(at, 0)).trim();
    if (at < 0 || !isAttributeType(type)) throw new NameError(`${part} is no attribute of a subject, such as CN=device-1`);
    return { type: type as AttributeType, value: part.slice(at + 1) };
  });
}

/** DER of a subject. Throws NameError. */
export const subjectName = (text: string): Buffer => distinguishedName(...parseSubject(text));
