/** Numbers of PKCS #11 2.40 (OASIS, pkcs11t.h), as far as the kit uses them. */

/** Classes of objects (CKO). */
export const CLASS = { data: 0, certificate: 1, publicKey: 2, privateKey: 3, secretKey: 4 } as const;

/** Attributes (CKA). */
export const ATTRIBUTE = {
  class: 0x000,
  token: 0x001,
  private: 0x002,
  label: 0x003,
  application: 0x010,
  value: 0x011,
  certificateType: 0x080,
  issuer: 0x081,
  serialNumber: 0x082,
  keyType: 0x100,
  subject: 0x101,
  id: 0x102,
  sensitive: 0x103,
  sign: 0x108,
  verify: 0x10a,
  derive: 0x10c,
  valueLength: 0x161,
  extractable: 0x162,
  ecParams: 0x180,
  ecPoint: 0x181,
} as const;

/** Types of keys (CKK). */
export const KEY_TYPE = { ec: 0x03, genericSecret: 0x10 } as const;

/** Mechanisms (CKM). */
export const MECHANISM = { ecKeyPairGen: 0x1040, ecdsa: 0x1041, ecdh1Derive: 0x1050 } as const;

/** No key derivation function after ECDH (CKD_NULL). */
export const NO_DERIVATION = 1;

/** Flags of a token (CKF). */
export const TOKEN_FLAG = {
  loginRequired: 0x0004,
  userPinInitialized: 0x0008,
  protectedAuthenticationPath: 0x0100,
  tokenInitialized: 0x0400,
  userPinCountLow: 0x10000,
  userPinFinalTry: 0x20000,
  userPinLocked: 0x40000,
} as const;

/** Return values (CKR) that the kit tells apart. */
export const RETURN = {
  ok: 0x000,
  deviceError: 0x030,
  deviceMemory: 0x031,
  deviceRemoved: 0x032,
  functionNotSupported: 0x054,
  mechanismInvalid: 0x070,
  pinIncorrect: 0x0a0,
  pinInvalid: 0x0a1,
  pinLengthRange: 0x0a2,
  pinExpired: 0x0a3,
  pinLocked: 0x0a4,
  sessionClosed: 0x0b0,
  sessionHandleInvalid: 0x0b3,
  tokenNotPresent: 0x0e0,
  tokenNotRecognized: 0x0e1,
  tokenWriteProtected: 0x0e2,
  userAlreadyLoggedIn: 0x100,
  userNotLoggedIn: 0x101,
  userPinNotInitialized: 0x102,
  cryptokiNotInitialized: 0x190,
  cryptokiAlreadyInitialized: 0x191,
} as const;
