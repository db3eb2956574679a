/** Why a policy variable has no value in a request. */
import { FILLED } from '@thingkeep/wire/documents/condition-keys.ts';
import { type Lookup, normalizeKey } from '../context.ts';
import { oneOf, shortened } from './quote.ts';
import { isMisspelt } from './spelling.ts';

const THING = 'iot:connection.thing.';
const ATTRIBUTE = /^iot:connection\.thing\.attributes\[(.*)\]$/;

export function explainVariable(name: string, lookup: Lookup): string {
  const key = normalizeKey(name);
  const values = lookup(key) ?? [];
  const variable = `the variable \${${name}}`;
  if (values.length > 1) return `${variable} has ${values.length} values here, and can not be put in`;
  if (values[0] !== undefined)
    return `${variable} is ${shortened(values[0])} here, which is not put in (empty, too long, or one of * $ + ? #)`;
  return `${variable} has no value here: ${missing(name, key, lookup)}`;
}

function missing(name: string, key: string, lookup: Lookup): string {
  if (key.startsWith(THING)) return missingThing(key, lookup);
  if (key.startsWith('iot:certificate.')) return 'the client has shown no certificate that holds it';
  if (key === 'iot:clientid') return 'the request has no client id, as over HTTPS';
  const meant = FILLED.find((known) => isMisspelt(key, known.toLowerCase()));
  if (meant !== undefined) return `\${${meant}} may be meant`;
  return `no request has a key ${oneOf([name])}`;
}

/** Developer guide, page thing-policy-variables: the client id is the thing's name, and the principal is attached to it. */
function missingThing(key: string, lookup: Lookup): string {
  const [attached] = lookup('iot:connection.thing.isattached') ?? [];
  if (attached === undefined) return 'things are known of an MQTT connection with a client certificate alone';
  if (attached !== 'true')
    return 'the client id is not the name of a thing that the certificate is attached to (aws iot attach-thing-principal)';
  const attribute = ATTRIBUTE.exec(key)?.[1];
  if (attribute !== undefined) return `the thing has no attribute ${attribute}`;
  return key.endsWith('thingtypename') ? 'the thing has no type' : 'the thing has nothing of this name';
}
