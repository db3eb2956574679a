/** What native code did not do: the answer of a module, or of the operating system. */

/** `pkcs11`: a CKR value; `system`: a name of errno(3); `library`: koffi is not there; `failed`: anything else. */
export type NativeFaultKind = 'pkcs11' | 'system' | 'library' | 'failed';

export class NativeFault extends Error {
  override readonly name = 'NativeFault';
  readonly kind: NativeFaultKind;
  /** A CKR value, or the name of an errno; empty otherwise. */
  readonly code: number | string;

  constructor(kind: NativeFaultKind, message: string, code: number | string = '') {
    super(message);
    this.kind = kind;
    this.code = code;
  }
}
