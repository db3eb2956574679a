/**
 * What was provisioned, for those who have to know: a manifest of our own (docs/kit/provisioning.md), one in Microchip's form
 * (Trust Platform Manifest File Format), and the lines that AWS IoT's bulk registration reads (developer guide, page
 * bulk-provisioning).
 */
import { createHash, createPublicKey, hash, X509Certificate } from 'node:crypto';
import { keyIdentifier } from '@thingkeep/x509/public-key.ts';
import { ElementError } from '../elements/contract.ts';
import { elementSigner } from '../elements/element-signer.ts';
import type { SecureElement } from '../elements/contract.ts';
import { pointOfSpki } from '../elements/p256.ts';
import type { ProvisioningState } from './journal.ts';

export const MANIFEST_FORMAT = 'thingkit-manifest/1';

/** A device of the manifest. */
export interface ManifestDevice {
  readonly board: string;
  readonly serialNumber: string;
  readonly maker: string;
  readonly model: string;
  readonly thingName: string;
  readonly certificateId: string;
  /** PEM, SubjectPublicKeyInfo. */
  readonly publicKey: string;
  /** PEM, from the device's own upwards. */
  readonly certificates: readonly string[];
  /** ISO 8601. */
  readonly time: string;
}

export interface Manifest {
  readonly format: typeof MANIFEST_FORMAT;
  readonly devices: readonly ManifestDevice[];
}

const spkiOf = ({ publicKey }: ProvisioningState): Buffer => Buffer.from(publicKey, 'base64');

function deviceOf(state: ProvisioningState): ManifestDevice {
  const { board, serialNumber, maker, model, thingName, certificateId = '', certificate = '', chain = [], time } = state;
  const publicKey = createPublicKey({ key: spkiOf(state), format: 'der', type: 'spki' });
  return {
    board,
    serialNumber,
    maker,
    model,
    thingName,
    certificateId,
    publicKey: publicKey.export({ format: 'pem', type: 'spki' }) as string,
    certificates: [certificate, ...chain],
    time,
  };
}

/** The manifest of all boards that are done, in the order of the journal. */
export const manifestOf = (states: readonly ProvisioningState[]): Manifest => ({
  format: MANIFEST_FORMAT,
  devices: states.filter(({ phase }) => phase === 'done').map(deviceOf),
});

/** Lines of JSON for StartThingRegistrationTask: parameters of a template with ThingName, SerialNumber and CertificatePem. */
export const bulkLines = (states: readonly ProvisioningState[]): string =>
  states
    .filter(({ phase }) => phase === 'done')
    .map(({ thingName, serialNumber, certificate }) =>
      JSON.stringify({ ThingName: thingName, SerialNumber: serialNumber, CertificatePem: certificate }),
    )
    .join('\n')
    .concat('\n');

const base64url = (text: string | Buffer): string => Buffer.from(text).toString('base64url');
/** Standard Base64, as x5c has it (RFC 7515 section 4.1.6). */
const x5c = (pem: string): string => Buffer.from(new X509Certificate(pem).raw).toString('base64');

export interface ManifestSigner {
  readonly element: SecureElement;
  readonly key: string;
  /** The certificate of the key, PEM. */
  readonly certificate: string;
  /** The factory's name. */
  readonly organization: string;
}

/** One entry: what the element is, its key and its certificates, signed (RFC 7515, flattened JSON, ES256). */
async function signedElement(state: ProvisioningState, { element, key, certificate, organization }: ManifestSigner) {
  const { serialNumber, maker, model, time, certificate: device = '', chain = [] } = state;
  const point = pointOfSpki(spkiOf(state));
  const party = { organizationName: organization };
  const payload = {
    version: 1,
    model,
    partNumber: model,
    manufacturer: { organizationName: maker },
    provisioner: party,
    distributor: party,
    groupId: organization,
    provisioningTimestamp: time,
    uniqueId: serialNumber,
    publicKeySet: {
      keys: [
        {
          kid: '0',
          kty: 'EC',
          crv: 'P-256',
          x: base64url(point.subarray(0, 32)),
          y: base64url(point.subarray(32)),
          x5c: [device, ...chain].map(x5c),
        },
      ],
    },
    encryptedSecretKeySet: { keys: [] },
  };
  const signer = await elementSigner(element, key);
  const x509 = new X509Certificate(certificate);
  if (!x509.publicKey.export({ format: 'der', type: 'spki' }).equals(signer.publicKey))
    throw new ElementError('verification', `the key ${key} is not the one of the certificate that is to verify the manifest`);
  const head = base64url(
    JSON.stringify({
      typ: 'JWT',
      alg: 'ES256',
      kid: base64url(keyIdentifier(signer.publicKey)),
      'x5t#S256': base64url(hash('sha256', x509.raw, 'buffer')),
    }),
  );
  const body = base64url(JSON.stringify(payload));
  const digest = createHash('sha256').update(`${head}.${body}`).digest();
  return {
    payload: body,
    protected: head,
    header: { uniqueId: serialNumber },
    signature: base64url(await element.sign(key, digest)),
  };
}

/** A manifest in Microchip's form: a signed entry for each board that is done. */
export async function microchipManifest(states: readonly ProvisioningState[], signer: ManifestSigner) {
  const entries = [];
  for (const state of states) if (state.phase === 'done') entries.push(await signedElement(state, signer));
  return entries;
}
