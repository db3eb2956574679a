/**
 * The authorities that the server makes for itself on its first start and never replaces: two roots (P-256 and RSA),
 * under each an intermediate that signs server certificates, and the authority that signs devices' certificates.
 */
import { authorityProfile } from '@thingkeep/x509/profiles.ts';
import type { Clock } from '../runtime/clock.ts';
import { type CertifiedKey, isSound, keyFileText, makeCertifiedKey, type OwnKeyKind, readKeyFileText } from './certified-key.ts';
import { AuthorityError, type KeyFolder } from './key-folder.ts';
import { DEVICE_ISSUER, ownName } from './names.ts';

export interface OwnAuthorities {
  readonly ecdsaRoot: CertifiedKey;
  readonly rsaRoot: CertifiedKey;
  readonly ecdsaIntermediate: CertifiedKey;
  readonly rsaIntermediate: CertifiedKey;
  readonly deviceIssuer: CertifiedKey;
}

const FILES: Readonly<Record<keyof OwnAuthorities, string>> = {
  ecdsaRoot: 'ecdsa-root.pem',
  rsaRoot: 'rsa-root.pem',
  ecdsaIntermediate: 'ecdsa-intermediate.pem',
  rsaIntermediate: 'rsa-intermediate.pem',
  deviceIssuer: 'device-issuer.pem',
};

/** Written last: from then on the authorities are in use, and one that is missing is a loss, not a first start. */
const COMPLETE = 'complete';

const YEAR = 365.25 * 86_400_000;
/** A day more than the last moment of AWS's device certificates, and longer than a root's life from today. */
const LAST_DAY = Date.UTC(2099, 11, 31, 23, 59, 59);

async function readAll(folder: KeyFolder): Promise<Partial<Record<keyof OwnAuthorities, CertifiedKey>>> {
  const complete = (await folder.read(COMPLETE)) !== undefined;
  const found: Partial<Record<keyof OwnAuthorities, CertifiedKey>> = {};
  for (const [name, file] of Object.entries(FILES) as [keyof OwnAuthorities, string][]) {
    const text = await folder.read(file);
    if (text === undefined) {
      if (complete)
        throw new AuthorityError(`key file ${folder.fileOf(file)} is missing; restore the folder ${folder.path} from a backup`);
      continue;
    }
    const certifiedKey = readKeyFileText(text);
    const isRoot = !name.endsWith('Intermediate');
    if (certifiedKey === undefined || (isRoot && !isSound(certifiedKey, certifiedKey)))
      throw new AuthorityError(`key file ${folder.fileOf(file)} is damaged; restore the folder ${folder.path} from a backup`);
    // Earlier releases wrote no digest.
    if (text !== keyFileText(certifiedKey)) await folder.write(file, keyFileText(certifiedKey));
    found[name] = certifiedKey;
  }
  // Certificates below without the one above: no stopped first start leaves that, a lost file does.
  if ((found.ecdsaIntermediate && !found.ecdsaRoot) || (found.rsaIntermediate && !found.rsaRoot))
    throw new AuthorityError(`a root is missing in the folder ${folder.path}; restore it from a backup`);
  const pairs = [
    [found.ecdsaRoot, found.ecdsaIntermediate],
    [found.rsaRoot, found.rsaIntermediate],
  ] as const;
  for (const [root, below] of pairs)
    if (root && below && !isSound(below, root))
      throw new AuthorityError(
        `an intermediate in the folder ${folder.path} is not signed by the root beside it; restore it from a backup`,
      );
  return found;
}

/** Reads the authorities; makes and keeps those that a first start, or one that was stopped, has not made yet. */
export async function openOwnAuthorities(folder: KeyFolder, clock: Clock): Promise<OwnAuthorities> {
  const found = await readAll(folder);
  const now = clock.now();
  const keep = async (name: keyof OwnAuthorities, make: () => Promise<CertifiedKey>): Promise<CertifiedKey> => {
    const there = found[name];
    if (there !== undefined) return there;
    const made = await make();
    await folder.write(FILES[name], keyFileText(made));
    return made;
  };
  const root = (kind: OwnKeyKind, name: string): Promise<CertifiedKey> =>
    makeCertifiedKey(kind, (key) => authorityProfile(ownName(name), key, now, Math.min(now + 30 * YEAR, LAST_DAY)));
  const intermediate = (kind: OwnKeyKind, name: string, above: CertifiedKey): Promise<CertifiedKey> =>
    makeCertifiedKey(kind, (key) => authorityProfile(ownName(name), key, now, Math.min(now + 25 * YEAR, above.notAfter), 0), {
      certifiedKey: above,
      send: false,
    });
  const line = async (kind: OwnKeyKind): Promise<[CertifiedKey, CertifiedKey]> => {
    const [rootName, belowName, label] =
      kind === 'ec' ? (['ecdsaRoot', 'ecdsaIntermediate', 'ECDSA'] as const) : (['rsaRoot', 'rsaIntermediate', 'RSA'] as const);
    const above = await keep(rootName, () => root(kind, `Thingkeep ${label} Root CA`));
    return [above, await keep(belowName, () => intermediate(kind, `Thingkeep ${label} Server CA`, above))];
  };
  // Keys take long to find: all of them at the same time.
  const [[ecdsaRoot, ecdsaIntermediate], [rsaRoot, rsaIntermediate], deviceIssuer] = await Promise.all([
    line('ec'),
    line('rsa'),
    keep('deviceIssuer', () => makeCertifiedKey('rsa', (key) => authorityProfile(DEVICE_ISSUER, key, now, LAST_DAY, 0))),
  ]);
  if ((await folder.read(COMPLETE)) === undefined) await folder.write(COMPLETE, '');
  return { ecdsaRoot, rsaRoot, ecdsaIntermediate, rsaIntermediate, deviceIssuer };
}
