/**
 * Answers of authorizers' functions, kept for the HTTP connection that they were given on (API reference,
 * `enableCachingForHttp`). The key holds all that the function could have seen, so that other credentials get another answer.
 */
import { hash } from 'node:crypto';
import type { AuthorizerAnswer } from '../../../authorizers/answer.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { ConnectionAttempt } from '../connection-attempt.ts';
import type { FoundAuthorizer } from './authorizer-lookup.ts';

/** Answers kept at most; the oldest are forgotten first. */
const MAX_ANSWERS = 10_000;
/** Seconds that an answer is kept which names none. */
const DEFAULT_SECONDS = 300;

/** Headers about the body: they differ between requests of one sender. */
const OF_THE_BODY = new Set(['content-length', 'content-type', 'content-encoding', 'transfer-encoding', 'expect', 'date']);

export class HttpAnswerCache {
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly answer: AuthorizerAnswer; readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The key of a request's answers; undefined where none is kept. */
  keyOf({ peer, http }: ConnectionAttempt, { authorizer, place }: FoundAuthorizer): string | undefined {
    if (!authorizer.enableCachingForHttp || http === undefined) return undefined;
    const headers = [...http.headers].filter(([name]) => !OF_THE_BODY.has(name));
    const { sourceIp, sourcePort, serverName = '', certificateId = '' } = peer;
    const connection = [sourceIp, sourcePort, serverName, certificateId];
    const asked = [place.accountId, place.region, authorizer.authorizerName, authorizer.lastModifiedAt];
    return hash('sha256', JSON.stringify([connection, asked, headers, http.query]), 'base64');
  }

  get(key: string | undefined): AuthorizerAnswer | undefined {
    if (key === undefined) return undefined;
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (this.#clock.monotonic() < kept.until) return kept.answer;
    this.#kept.delete(key);
    return undefined;
  }

  keep(key: string | undefined, answer: AuthorizerAnswer): void {
    if (key === undefined) return;
    const seconds = Math.min(answer.refreshAfterInSeconds ?? DEFAULT_SECONDS, answer.disconnectAfterInSeconds);
    this.#kept.set(key, { answer, until: this.#clock.monotonic() + seconds * 1000 });
    if (this.#kept.size > MAX_ANSWERS) this.#kept.delete(this.#kept.keys().next().value ?? '');
  }
}
