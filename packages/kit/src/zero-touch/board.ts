/**
 * A board of Microchip's Zero Touch kit: answers the programs of the kit as its firmware does (AWS IoT Zero Touch 2.2.5), with
 * a secure element of its own behind it. Its radio and its display are not there.
 */
import { zeroTouchCsr } from '../certificates/definitions.ts';
import { ElementError, type SecureElement } from '../elements/contract.ts';
import { elementSigner } from '../elements/element-signer.ts';
import { pointOfSpki } from '../elements/p256.ts';
import { kitAnswer, KIT_STATUS, parseKitLine } from './kit-lines.ts';
import { clearSettings, saveCredentials, saveSettings, BOARD_SLOTS } from './slots.ts';

/** Error codes of the firmware (aws_status.h). */
const ERROR = { unknownCommand: 2, badParameter: 3, chipFailure: 256, chipNotReached: 260 } as const;
/** Of the firmware's states: ready to be provisioned, and provisioned. */
const STATE = { configure: 4, provisioned: 5 } as const;
/** Characters of an error's text. */
const MESSAGE_LENGTH = 63;
const VERSION = 'AWS IoT Zero Touch Demo v2.2.5';

/** A command that the board refuses, with the firmware's code. */
class BoardError extends Error {
  override readonly name = 'BoardError';
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

type Parameters = Readonly<Record<string, unknown>>;
type Result = Readonly<Record<string, string | number>>;

const upperHex = (bytes: Buffer): string => bytes.toString('hex').toUpperCase();

function text(parameters: Parameters, name: string): string {
  const value = parameters[name];
  if (typeof value !== 'string') throw new BoardError(ERROR.badParameter, `${name} is missing.`);
  return value;
}

function bytes(parameters: Parameters, name: string): Buffer {
  const value = text(parameters, name);
  if (!/^(?:[0-9a-f]{2})+$/i.test(value)) throw new BoardError(ERROR.badParameter, `${name} is not hexadecimal.`);
  return Buffer.from(value, 'hex');
}

const asBoardError = (error: unknown): BoardError => {
  if (error instanceof BoardError) return error;
  if (!(error instanceof ElementError)) throw error;
  const code =
    error.code === 'invalid' || error.code === 'verification'
      ? ERROR.badParameter
      : error.code === 'communication'
        ? ERROR.chipNotReached
        : ERROR.chipFailure;
  return new BoardError(code, error.message);
};

export class ZeroTouchBoard {
  readonly #element: SecureElement;
  readonly #say: (line: string) => void;
  #isProvisioned = false;

  /** `say` is told what the display would show. */
  constructor(element: SecureElement, say: (line: string) => void) {
    this.#element = element;
    this.#say = say;
  }

  /** The answer to a line, without its line feed. */
  async answer(line: string): Promise<string> {
    const asked = parseKitLine(line);
    switch (asked.kind) {
      case 'application':
        return this.#application(asked.data);
      case 'version':
        return kitAnswer(KIT_STATUS.success, Buffer.from(VERSION));
      case 'firmware':
        return kitAnswer(KIT_STATUS.success, Buffer.from(VERSION));
      case 'device':
        return '00(ECCx08A TWI(00))';
      case 'wake':
      case 'idle':
      case 'sleep':
      case 'select':
        return kitAnswer(KIT_STATUS.success);
      case 'talk':
        // Packets go to the chip by its own bus, not through the board.
        return kitAnswer(KIT_STATUS.notSupported);
      default:
        return kitAnswer(asked.status);
    }
  }

  async #application(data: Buffer): Promise<string> {
    let request: unknown;
    try {
      request = JSON.parse(data.toString('utf8'));
    } catch {
      return kitAnswer(KIT_STATUS.failure);
    }
    if (typeof request !== 'object' || request === null) return kitAnswer(KIT_STATUS.failure);
    const { method, params, id } = request as { method?: unknown; params?: unknown; id?: unknown };
    const parameters = (typeof params === 'object' && params !== null ? params : {}) as Parameters;
    const reply = (result: Result | null, error: unknown): string =>
      kitAnswer(KIT_STATUS.success, Buffer.from(JSON.stringify({ result, error, id: typeof id === 'number' ? id : 0 })));
    try {
      return reply(await this.#run(String(method), parameters), null);
    } catch (error) {
      const { code, message } = asBoardError(error);
      this.#say(`${String(method)}: ${message}`);
      return reply(null, { error_code: code, error_msg: message.slice(0, MESSAGE_LENGTH) });
    }
  }

  async #run(method: string, parameters: Parameters): Promise<Result> {
    const run = Object.hasOwn(this.#methods, method) ? this.#methods[method] : undefined;
    if (run === undefined) throw new BoardError(ERROR.unknownCommand, 'The command is not known.');
    const result = await run(parameters);
    this.#say(`${method}: done`);
    return result;
  }

  readonly #methods: Readonly<Record<string, (parameters: Parameters) => Promise<Result>>> = {
    init: async () => ({
      deviceSn: (await this.#element.identify()).serialNumber.toUpperCase(),
      devicePublicKey: await this.#publicKey(),
    }),
    genKey: async () => {
      await this.#element.generateKey(BOARD_SLOTS.key);
      await clearSettings(this.#element);
      this.#isProvisioned = false;
      return { devicePublicKey: await this.#publicKey() };
    },
    genCsr: async () => ({
      csr: upperHex(await zeroTouchCsr(await elementSigner(this.#element, BOARD_SLOTS.key))),
    }),
    saveCredentials: async (parameters) => {
      const hostName = text(parameters, 'hostName');
      const [device, signer, root] = ['deviceCert', 'signerCert', 'signerCaPublicKey'].map((name) => bytes(parameters, name)) as [
        Buffer,
        Buffer,
        Buffer,
      ];
      await saveCredentials(this.#element, { device, signer, rootPoint: root });
      await saveSettings(this.#element, { hostName });
      this.#isProvisioned = true;
      return {};
    },
    setWifi: async (parameters) => {
      const password = parameters.psk === null || parameters.psk === undefined ? '' : text(parameters, 'psk');
      await saveSettings(this.#element, { wifi: { ssid: text(parameters, 'ssid'), password } });
      return {};
    },
    getStatus: async () => ({
      state_id: this.#isProvisioned ? STATE.provisioned : STATE.configure,
      status_code: 0,
      status_msg: this.#isProvisioned ? 'The board has its credentials.' : 'The board waits for its credentials.',
    }),
    resetKit: async () => {
      await clearSettings(this.#element);
      this.#isProvisioned = false;
      return {};
    },
  };

  async #publicKey(): Promise<string> {
    return upperHex(pointOfSpki(await this.#element.publicKey(BOARD_SLOTS.key)));
  }
}
