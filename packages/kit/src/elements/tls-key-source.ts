/**
 * How the agent's TLS gets at the key of an element. TLS signs by itself, so it needs the key where it can reach it: a file, a
 * PKCS #11 module, or, of a virtual chip alone, the key as text inside the chip's own process.
 */
import type { SecureElement } from './contract.ts';

export type TlsKey =
  /** A PEM file of mode 0600. */
  | { readonly kind: 'file'; readonly path: string }
  /** PKCS #8 in PEM. Of virtual chips in this process alone: nothing of a real chip can give it. */
  | { readonly kind: 'pem'; readonly privateKey: string }
  | {
      readonly kind: 'pkcs11';
      /** Path of the module. */
      readonly module: string;
      readonly slot: number;
      readonly tokenLabel: string;
      readonly keyLabel: string;
      /** Undefined where the token asks for it by itself. */
      readonly pin: string | undefined;
    };

/** An element whose keys TLS can use. */
export interface TlsKeySource {
  /** Throws ElementError. */
  tlsKey(key: string): Promise<TlsKey>;
}

export const isTlsKeySource = (element: SecureElement): element is SecureElement & TlsKeySource =>
  typeof (element as Partial<TlsKeySource>).tlsKey === 'function';
