/**
 * One session with the one token that a URI means, in a process of native code. It is opened with the first call, and opened
 * anew with the next call after it was lost; a PIN that was wrong is not tried again.
 */
import { readPin } from './pin.ts';
import { TOKEN_FLAG } from '../../native/cryptoki-numbers.ts';
import type { ModuleFacts, TokenFacts } from '../../native/cryptoki.ts';
import type { NativeCalls } from '../../native/native-calls.ts';
import { NativeFault } from '../../native/native-fault.ts';
import { NativeProcess } from '../../native/native-process.ts';
import { ElementError } from '../contract.ts';
import { moduleFileOf } from './module-file.ts';
import type { LibraryChoice, Pkcs11Uri, TokenChoice } from './pkcs11-uri.ts';
import { elementErrorOf, isSessionLost } from './return-values.ts';

const has = (flags: number, flag: number): boolean => (flags & flag) !== 0;

const isChosen = (choice: TokenChoice, token: TokenFacts): boolean =>
  (choice.token ?? token.label) === token.label &&
  (choice.manufacturer ?? token.manufacturer) === token.manufacturer &&
  (choice.serial ?? token.serial) === token.serial &&
  (choice.model ?? token.model) === token.model &&
  (choice.slotId ?? token.slot) === token.slot &&
  (choice.slotDescription ?? token.slotDescription) === token.slotDescription &&
  (choice.slotManufacturer ?? token.slotManufacturer) === token.slotManufacturer;

const isLibrary = (choice: LibraryChoice, { manufacturer, description, version }: ModuleFacts): boolean =>
  (choice.manufacturer ?? manufacturer) === manufacturer &&
  (choice.description ?? description) === description &&
  // `3` and `3.0` are the same version (RFC 7512 section 2.3).
  (choice.version === undefined || (choice.version.includes('.') ? choice.version : `${choice.version}.0`) === version);

const nameOf = ({ label, serial, slot }: TokenFacts): string => `${label} (serial ${serial}, slot ${slot})`;

/** The one token that is meant. Throws ElementError `not-found` or `invalid`, which name those that are there. */
function chosenToken(choice: TokenChoice, all: readonly TokenFacts[]): TokenFacts {
  const tokens = all.filter(({ flags }) => has(flags, TOKEN_FLAG.tokenInitialized));
  const [token, another] = tokens.filter((each) => isChosen(choice, each));
  if (token === undefined)
    throw new ElementError('not-found', 'no token is as the URI says', {
      hint: tokens.length === 0 ? 'the module has no token that is set up' : `there are ${tokens.map(nameOf).join(', ')}`,
    });
  if (another !== undefined) {
    const matching = tokens.filter((each) => isChosen(choice, each));
    throw new ElementError('invalid', `several tokens are as the URI says: ${matching.map(nameOf).join(', ')}`, {
      hint: 'serial=... or slot-id=... tells them apart',
    });
  }
  return token;
}

/** What opening a token gave. */
export interface OpenToken {
  readonly module: string;
  readonly token: TokenFacts;
}

export class TokenSession implements AsyncDisposable {
  readonly #uri: Pkcs11Uri;
  readonly #native: NativeProcess;
  #open: OpenToken | undefined;
  #generation = -1;
  #refusedPin: ElementError | undefined;

  constructor(uri: Pkcs11Uri, native = new NativeProcess()) {
    this.#uri = uri;
    this.#native = native;
  }

  /** The PIN, for what opens a session of its own; undefined where the URI names none. */
  get pin(): string | undefined {
    return this.#uri.pinSource === undefined ? undefined : readPin(this.#uri.pinSource);
  }

  /** The token that is open. Throws ElementError. */
  async token(): Promise<OpenToken> {
    if (this.#refusedPin !== undefined) throw this.#refusedPin;
    if (this.#open !== undefined && this.#generation === this.#native.generation) return this.#open;
    this.#open = undefined;
    try {
      this.#open = await this.#begin();
      this.#generation = this.#native.generation;
      return this.#open;
    } catch (error) {
      throw elementErrorOf(error);
    }
  }

  async #begin(): Promise<OpenToken> {
    const module = moduleFileOf(this.#uri);
    const facts = await this.#native.call('openModule', module);
    if (!isLibrary(this.#uri.library, facts))
      throw new ElementError('not-found', `the module is ${facts.description} of ${facts.manufacturer}, ${facts.version}`, {
        hint: 'library-description, library-manufacturer or library-version of the URI say otherwise',
      });
    const token = chosenToken(this.#uri.choice, await this.#native.call('tokens'));
    await this.#native.call('openSession', token.slot);
    await this.#login(token);
    return { module, token };
  }

  async #login({ flags, label }: TokenFacts): Promise<void> {
    const asksItself = has(flags, TOKEN_FLAG.protectedAuthenticationPath);
    const { pin } = this;
    if (pin === undefined && !asksItself) return;
    if (has(flags, TOKEN_FLAG.userPinLocked))
      throw new ElementError('not-permitted', `the PIN of the token ${label} is locked`, {
        hint: "the token's security officer unlocks it",
      });
    try {
      await this.#native.call('login', pin ?? null);
    } catch (error) {
      const refused = elementErrorOf(error);
      if (error instanceof NativeFault && error.kind === 'pkcs11' && refused instanceof ElementError) this.#refusedPin = refused;
      throw error;
    }
  }

  /** A call in the session. Throws ElementError. */
  async call<Name extends keyof NativeCalls>(name: Name, ...args: Parameters<NativeCalls[Name]>) {
    await this.token();
    try {
      return await this.#native.call(name, ...args);
    } catch (error) {
      if (isSessionLost(error)) this.#open = undefined;
      throw elementErrorOf(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#native[Symbol.asyncDispose]();
  }
}
