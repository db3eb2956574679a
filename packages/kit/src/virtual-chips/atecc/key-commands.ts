/** Commands of a virtual ATECC with keys and digests: Random, Nonce, GenKey, Sign, Verify, ECDH, SHA (ATECC508A datasheet, commands). */
import { createHash, randomBytes } from 'node:crypto';
import {
  agreeWithPoint,
  isPrivateKey,
  newPrivateKey,
  pointOfPrivateKey,
  signDigest,
  verifyDigest,
} from '../../elements/p256-private.ts';
import { spkiOfPoint } from '../../elements/p256.ts';
import { type AteccSession, eccFault, executionError, parseError, require } from './session.ts';
import { type AteccSilicon, SLOT_COUNT } from './silicon.ts';
import { rulesOfSlot } from './slot-rules.ts';
import { type Outcome, type ReceivedCommand, storedPoint } from './zone-commands.ts';

const DONE = 0;
const MISMATCH = 1;
const IN_TEMP_KEY = 0xffff;
const P256_KEY = 4;
/** A private key in a slot stands behind four bytes. */
const KEY_START = 4;

/** The private key in a slot; undefined where there is none. */
export function privateKeyIn(silicon: AteccSilicon, slot: number): Buffer | undefined {
  const secret = Buffer.from(silicon.slot(slot).subarray(KEY_START, KEY_START + 32));
  return isPrivateKey(secret) ? secret : undefined;
}

const randomNumber = (silicon: AteccSilicon): Buffer =>
  silicon.isConfigLocked ? randomBytes(32) : Buffer.from('ffff0000'.repeat(8), 'hex');

export function random(silicon: AteccSilicon, { mode, param, data }: ReceivedCommand): Outcome {
  require(data.length === 0 && mode <= 1 && param === 0, parseError);
  return randomNumber(silicon);
}

export function nonce(silicon: AteccSilicon, session: AteccSession, { mode, param, data }: ReceivedCommand): Outcome {
  require(param === 0, parseError);
  if (mode <= 1) {
    require(data.length === 20, parseError);
    const made = randomNumber(silicon);
    const value = createHash('sha256')
      .update(made)
      .update(data)
      .update(Buffer.of(0x16, mode, 0))
      .digest();
    session.holdTempKey({ value, source: 'random' });
    return made;
  }
  const is608 = silicon.kind === 'atecc608';
  require(mode === 0x03 || (is608 && (mode & 0x1f) === 0x03), parseError);
  require((mode & 0xc0) !== 0xc0 && data.length === ((mode & 0x20) === 0 ? 32 : 64), parseError);
  // The alternate key buffer serves commands that this chip does not have.
  if ((mode & 0xc0) === 0x40) session.holdMessageDigest(Buffer.from(data.subarray(0, 32)));
  else if ((mode & 0xc0) === 0) session.holdTempKey({ value: Buffer.from(data), source: 'input' });
  return DONE;
}

export function genKey(silicon: AteccSilicon, session: AteccSession, { mode, param, data }: ReceivedCommand): Outcome {
  require((mode === 0x04 || mode === 0x00) && data.length === 0, parseError);
  if (param === IN_TEMP_KEY && silicon.kind === 'atecc608' && mode === 0x04) {
    require(silicon.isConfigLocked, executionError);
    const value = newPrivateKey();
    session.holdTempKey({ value, source: 'private-key' });
    return pointOfPrivateKey(value);
  }
  require(param < SLOT_COUNT, parseError);
  require(silicon.isConfigLocked, executionError);
  const rules = rulesOfSlot(silicon, param);
  require(!rules.needsAuthorisation, executionError);
  if (mode === 0x00) {
    const secret = privateKeyIn(silicon, param);
    require(rules.mayTellPublicKey && secret !== undefined, executionError);
    return pointOfPrivateKey(secret);
  }
  require(rules.mayGenerate, executionError);
  const secret = newPrivateKey();
  silicon.slot(param).fill(0);
  secret.copy(silicon.slot(param), KEY_START);
  silicon.save();
  return pointOfPrivateKey(secret);
}

/** The digest that Sign and Verify work on. */
function takeDigest(silicon: AteccSilicon, session: AteccSession, isFromBuffer: boolean): Buffer {
  require(!isFromBuffer || silicon.kind === 'atecc608', parseError);
  return session.takeDigest(isFromBuffer ? 'buffer' : 'temp-key');
}

export function sign(silicon: AteccSilicon, session: AteccSession, { mode, param, data }: ReceivedCommand): Outcome {
  require((mode === 0x80 || mode === 0xa0) && data.length === 0 && param < SLOT_COUNT, parseError);
  const digest = takeDigest(silicon, session, mode === 0xa0);
  const rules = rulesOfSlot(silicon, param);
  const secret = privateKeyIn(silicon, param);
  require(silicon.isConfigLocked && rules.maySignExternal && !rules.needsAuthorisation, executionError);
  require(secret !== undefined, executionError);
  return signDigest(secret, digest);
}

function checkPoint(point: Buffer): void {
  try {
    spkiOfPoint(point);
  } catch {
    throw eccFault();
  }
}

export function verify(silicon: AteccSilicon, session: AteccSession, { mode, param, data }: ReceivedCommand): Outcome {
  const isExternal = (mode & 0x02) !== 0;
  require((mode & ~0x22) === 0 && data.length === (isExternal ? 128 : 64), parseError);
  require(isExternal ? param === P256_KEY : param < SLOT_COUNT, parseError);
  const digest = takeDigest(silicon, session, (mode & 0x20) !== 0);
  if (!isExternal) require(rulesOfSlot(silicon, param).isPublicKey, executionError);
  const point = isExternal ? data.subarray(64) : storedPoint(silicon, param);
  require(point !== undefined, executionError);
  checkPoint(point);
  return verifyDigest(point, digest, data.subarray(0, 64)) ? DONE : MISMATCH;
}

export function ecdh(silicon: AteccSilicon, session: AteccSession, { mode, param, data }: ReceivedCommand): Outcome {
  require(data.length === 64, parseError);
  const is608 = silicon.kind === 'atecc608';
  // Out of TempKey, whatever the second parameter is: host libraries differ there.
  if (mode === 0x0d && is608) {
    const secret = session.ephemeralKey();
    checkPoint(data);
    return agreeWithPoint(secret, data);
  }
  const isInTheClear = mode === 0x0c && is608;
  require((mode === 0 || isInTheClear) && param < SLOT_COUNT, parseError);
  const rules = rulesOfSlot(silicon, param);
  const secret = privateKeyIn(silicon, param);
  require(silicon.isConfigLocked && rules.mayAgree && !rules.needsAuthorisation && secret !== undefined, executionError);
  require(!(isInTheClear && rules.isAgreedSecretKept), executionError);
  checkPoint(data);
  const agreed = agreeWithPoint(secret, data);
  if (!rules.isAgreedSecretKept) return agreed;
  agreed.copy(silicon.slot(param | 1), 0);
  silicon.save();
  return DONE;
}

export function sha(silicon: AteccSilicon, session: AteccSession, { mode, param, data }: ReceivedCommand): Outcome {
  require(mode <= 2 && data.length === param, parseError);
  if (mode === 0) {
    require(param === 0, parseError);
    session.startSha();
    return DONE;
  }
  if (mode === 1) {
    require(param === 64, parseError);
    session.updateSha(data);
    return DONE;
  }
  require(param < 64, parseError);
  const digest = session.endSha(data);
  if (silicon.kind === 'atecc608') session.holdTempKey({ value: digest, source: 'input' });
  return digest;
}
