/**
 * Presigned URLs in job documents (developer guide, page create-manage-jobs): checked when the job is made, and signed with the
 * role of the job each time that a device gets the document.
 */
import type { FindRole } from '@thingkeep/wire/api/authorization.ts';
import { type Place, placeKey } from '@thingkeep/wire/arn.ts';
import { IOT_SERVICE } from '@thingkeep/wire/service-principals.ts';
import { fail } from '@thingkeep/wire/errors.ts';
import { ObjectFault, type ObjectUrls, type UrlRequest } from '../objects/contract.ts';
import { type TurnBudget, TurnBudgets } from '../runtime/turn-budget.ts';
import { BAD_URL, LIKE_URL, PLACEHOLDER, URL_PLACEHOLDER } from './documents.ts';
import { type S3Location, locateObject } from './object-locations.ts';
import { jobArn, type JobExecutionRecord, type PresignedUrls } from './store.ts';

export interface DocumentUrlsOptions {
  readonly findRole: FindRole;
  readonly objectUrls: ObjectUrls;
}

/** A document with placeholders that become URLs. */
export interface UrlDocument {
  readonly text: string;
  readonly presignedUrls: PresignedUrls | undefined;
}

/** A document whose URLs are to be signed. */
interface UnsignedDocument {
  readonly text: string;
  readonly roleArn: string;
  readonly expiresInSec: number;
}

interface Wanted {
  readonly method: 'GET' | 'PUT';
  readonly location: S3Location;
}

/** Seconds of a URL where the job does not say. */
const EXPIRES = 3_600;
const VARIABLE = /\$\{([^}]*)\}/g;
const MAX_USES = 2;
/** Errors that say that a URL can't be signed: of what it names, or of its role. */
const UNSIGNABLE = new Set(['AccessDeniedException', 'InvalidRequestException']);

const invalid = (message: string): never => fail('InvalidRequestException', message);

/** Whether a document has placeholders of this kind. */
export const hasUrls = (text: string): boolean => text.includes('${aws:iot:s3-presigned-url');

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** What a placeholder asks for; undefined for one of another kind. The texts are the guide's. */
function wantedOf(placeholder: string, variables: Readonly<Record<string, string>>): Wanted | undefined {
  const found = URL_PLACEHOLDER.exec(placeholder);
  if (found === null) return LIKE_URL.test(placeholder) ? invalid(BAD_URL) : undefined;
  const [, version, argument = ''] = found;
  const isUpload = version === '-upload';
  const uses = new Map<string, number>();
  const filled = argument.replace(VARIABLE, (_whole, name: string) => {
    uses.set(name, (uses.get(name) ?? 0) + 1);
    if (!isUpload || !Object.hasOwn(variables, name) || (uses.get(name) ?? 0) > MAX_USES)
      return invalid(`Undefined placeholder, \${${name}}, inside of presign url upload parameter`);
    return variables[name] ?? '';
  });
  const plain = version === '-v2' ? decoded(filled) : filled;
  const location = plain === undefined ? undefined : locateObject(plain);
  if (location === undefined) return invalid(BAD_URL);
  return { method: isUpload ? 'PUT' : 'GET', location };
}

/** Work of one account in a turn: a URL is one, and the session of a role a few. */
const PER_TURN = 10;
const SESSION = 3;

const ANY = { thingName: 't', jobId: 'j', executionNumber: '1' };

export class DocumentUrls {
  readonly #options: DocumentUrlsOptions;
  readonly #budgets = new TurnBudgets(PER_TURN);

  constructor(options: DocumentUrlsOptions) {
    this.#options = options;
  }

  /**
   * Fails for URLs that can't be signed: a malformed one, a role that is not there or may not read the object. `sourceArn` is
   * that of the job or of the template.
   */
  async check({ accountId }: Place, sourceArn: string, text: string, { roleArn }: PresignedUrls = {}): Promise<void> {
    if (!hasUrls(text)) return;
    if (roleArn === undefined)
      return invalid('presignedUrlConfig role ARN is required to generate an S3 presigned url in job document.');
    const wanted = [...text.matchAll(PLACEHOLDER)].flatMap(([, name = '']) => wantedOf(name, ANY) ?? []);
    const { findRole } = this.#options;
    const permissions = await findRole(accountId, roleArn, IOT_SERVICE, sourceArn).catch(() => 'unknown-role' as const);
    for (const { method, location } of wanted) {
      const action = method === 'GET' ? 's3:GetObject' : 's3:PutObject';
      const resource = `arn:aws:s3:::${location.bucket}/${location.key}`;
      if (permissions === 'unknown-role' || permissions.decide(action, resource).effect !== 'ALLOWED')
        invalid(`Permission denied when attempting to use role ${roleArn} to access bucket ${location.bucket}.`);
    }
  }

  /** The document as the device of an execution gets it; undefined where a URL can't be signed, or not any more. */
  async resolve(place: Place, { text, presignedUrls }: UrlDocument, execution: JobExecutionRecord): Promise<string | undefined> {
    const roleArn = presignedUrls?.roleArn;
    if (!hasUrls(text)) return text;
    if (roleArn === undefined) return undefined;
    const expiresInSec = presignedUrls?.expiresInSec ?? EXPIRES;
    return this.#budgets.use(placeKey(place), (budget) => this.#sign(place, { text, roleArn, expiresInSec }, execution, budget));
  }

  async #sign(
    place: Place,
    { text, roleArn, expiresInSec }: UnsignedDocument,
    execution: JobExecutionRecord,
    budget: TurnBudget,
  ): Promise<string | undefined> {
    try {
      await budget.take(SESSION);
      const { thingName, jobId, executionNumber } = execution;
      const permissions = await this.#options.findRole(place.accountId, roleArn, IOT_SERVICE, jobArn(place, jobId));
      if (permissions === 'unknown-role') return undefined;
      const variables = { thingName, jobId, executionNumber: String(executionNumber) };
      const sign = await this.#options.objectUrls.signerOf({ place, roleArn, permissions });
      return await fill(text, variables, (url) => sign({ ...url, expiresInSec }), budget);
    } catch (error) {
      if (error instanceof ObjectFault || (error instanceof Error && UNSIGNABLE.has(error.name))) return undefined;
      throw error;
    }
  }
}

/** Puts signed URLs in the place of the placeholders, a few in each turn of the event loop. */
async function fill(
  text: string,
  variables: Readonly<Record<string, string>>,
  sign: (url: Omit<UrlRequest, 'expiresInSec'>) => string,
  budget: TurnBudget,
): Promise<string> {
  let filled = '';
  let at = 0;
  for (const found of text.matchAll(PLACEHOLDER)) {
    const wanted = wantedOf(found[1] ?? '', variables);
    if (wanted === undefined) continue;
    await budget.take(1);
    const { method, location } = wanted;
    const url = sign({ method, name: location, versionId: location.versionId });
    filled += text.slice(at, found.index) + JSON.stringify(url).slice(1, -1);
    at = found.index + found[0].length;
  }
  return filled + text.slice(at);
}
