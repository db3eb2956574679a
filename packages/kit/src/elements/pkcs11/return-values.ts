/** What a token's answer (a CKR value of PKCS #11 2.40) is to the user of an element. */
import { RETURN } from '../../native/cryptoki-numbers.ts';
import { NativeFault } from '../../native/native-fault.ts';
import { ElementError, type ElementErrorCode } from '../contract.ts';

interface Meaning {
  readonly code: ElementErrorCode;
  readonly what: string;
  readonly hint?: string;
}

const MEANINGS: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [RETURN.deviceError, { code: 'element-fault', what: 'the token reports a fault (CKR_DEVICE_ERROR)' }],
  [RETURN.deviceMemory, { code: 'not-permitted', what: 'the token is full (CKR_DEVICE_MEMORY)' }],
  [RETURN.deviceRemoved, { code: 'communication', what: 'the token was removed (CKR_DEVICE_REMOVED)' }],
  [RETURN.functionNotSupported, { code: 'not-supported', what: 'the module has no such function' }],
  [
    RETURN.mechanismInvalid,
    { code: 'not-supported', what: 'the token does not do this with a P-256 key (CKR_MECHANISM_INVALID)' },
  ],
  [
    RETURN.pinIncorrect,
    {
      code: 'not-permitted',
      what: 'the PIN is wrong (CKR_PIN_INCORRECT); it is not tried again, since tokens lock',
      hint: 'see what pin-source names; the token may have few tries left',
    },
  ],
  [RETURN.pinInvalid, { code: 'not-permitted', what: 'the PIN has characters that no PIN of the token has (CKR_PIN_INVALID)' }],
  [RETURN.pinLengthRange, { code: 'not-permitted', what: 'the PIN is too short or too long for the token (CKR_PIN_LEN_RANGE)' }],
  [RETURN.pinExpired, { code: 'not-permitted', what: 'the PIN has expired (CKR_PIN_EXPIRED)' }],
  [
    RETURN.pinLocked,
    { code: 'not-permitted', what: 'the PIN is locked (CKR_PIN_LOCKED)', hint: "the token's security officer unlocks it" },
  ],
  [RETURN.sessionClosed, { code: 'communication', what: 'the session was closed (CKR_SESSION_CLOSED)' }],
  [RETURN.sessionHandleInvalid, { code: 'communication', what: 'the session is gone (CKR_SESSION_HANDLE_INVALID)' }],
  [RETURN.tokenNotPresent, { code: 'communication', what: 'the token is not there (CKR_TOKEN_NOT_PRESENT)' }],
  [RETURN.tokenNotRecognized, { code: 'communication', what: 'the token is not recognized (CKR_TOKEN_NOT_RECOGNIZED)' }],
  [RETURN.tokenWriteProtected, { code: 'not-permitted', what: 'the token can not be written (CKR_TOKEN_WRITE_PROTECTED)' }],
  [
    RETURN.userNotLoggedIn,
    { code: 'not-permitted', what: 'the token wants its PIN (CKR_USER_NOT_LOGGED_IN)', hint: 'pin-source=file:PATH in the URI' },
  ],
  [RETURN.userPinNotInitialized, { code: 'not-ready', what: 'the token has no user PIN yet (CKR_USER_PIN_NOT_INITIALIZED)' }],
  [RETURN.cryptokiNotInitialized, { code: 'communication', what: 'the module was ended (CKR_CRYPTOKI_NOT_INITIALIZED)' }],
]);

/** Answers after which a session has to be opened anew. */
const LOST: readonly number[] = [
  ...[RETURN.deviceRemoved, RETURN.sessionClosed, RETURN.sessionHandleInvalid, RETURN.tokenNotPresent],
  ...[RETURN.tokenNotRecognized, RETURN.cryptokiNotInitialized, RETURN.userNotLoggedIn],
];

export const isSessionLost = (error: unknown): boolean =>
  error instanceof NativeFault && error.kind === 'pkcs11' && LOST.includes(Number(error.code));

/** The error of an element that a fault of native code is; other errors as they are. */
export function elementErrorOf(error: unknown): unknown {
  if (!(error instanceof NativeFault)) return error;
  if (error.kind !== 'pkcs11') return new ElementError('communication', error.message, { cause: error });
  const code = Number(error.code);
  const meaning = MEANINGS.get(code);
  if (meaning !== undefined) return new ElementError(meaning.code, meaning.what, { hint: meaning.hint, cause: error });
  return new ElementError('element-fault', `${error.message} answers with CKR 0x${code.toString(16).padStart(8, '0')}`, {
    cause: error,
  });
}
