/** Where a Zero Touch board keeps what it needs: its key, its certificates, and in slot 8 Wi-Fi and host. */
import { writeElementCertificates } from '../certificates/element-certificates.ts';
import type { SecureElement } from '../elements/contract.ts';
import { spkiOfPoint } from '../elements/p256.ts';
import { type BoardSettings, packSettings, unpackSettings } from './metadata.ts';

/** Slots by what they hold; those of certificates are in certificates/element-certificates.ts. */
export const BOARD_SLOTS = { key: '0', settings: '8' } as const;
/** Bytes of slot 8. */
const SETTINGS_SLOT = 416;

/** Writes the certificates (DER), rebuilds and verifies them as the firmware does. Throws ElementError. */
export const saveCredentials = (
  element: SecureElement,
  { device, signer, rootPoint }: { readonly device: Buffer; readonly signer: Buffer; readonly rootPoint: Buffer },
): Promise<void> => writeElementCertificates(element, { device, signer }, spkiOfPoint(rootPoint));

export const readSettings = async (element: SecureElement): Promise<BoardSettings> =>
  unpackSettings(await element.readObject(BOARD_SLOTS.settings));

const wholeSlot = (content: Buffer): Buffer => Buffer.concat([content], SETTINGS_SLOT);

/** Changes what is given, and keeps the rest. */
export async function saveSettings(element: SecureElement, changes: Partial<BoardSettings>): Promise<void> {
  const settings = { ...(await readSettings(element)), ...changes };
  await element.writeObject(BOARD_SLOTS.settings, wholeSlot(packSettings(settings)));
}

export const clearSettings = (element: SecureElement): Promise<void> =>
  element.writeObject(BOARD_SLOTS.settings, Buffer.alloc(SETTINGS_SLOT));
