/**
 * Hostile HTTP: thousands of malformed, oversized, truncated and forged requests against a host and port, over raw sockets,
 * from a seed. It checks what a stranger can see: an answer or a closed connection within the deadline, and never a 5xx.
 */
import { connect } from 'node:net';
import { type Shot, type ShotOptions, shot } from './http-fuzz-requests.ts';

export interface FuzzOptions extends ShotOptions {
  /** How many requests; 10,000 when absent. */
  readonly requests?: number;
  readonly concurrency?: number;
  /** Milliseconds after which a connection that neither answered nor closed counts as hung. */
  readonly deadline?: number;
}

export interface FuzzStatistics {
  readonly requests: number;
  /** First status line of each connection -> how many. */
  readonly statuses: ReadonlyMap<number, number>;
  /** Kind of request -> how many connections were closed without an answer, as for one that breaks off in its head. */
  readonly closedWithoutAnswer: ReadonlyMap<string, number>;
  /** Requests that got a 5xx, an answer that is no HTTP, or none in time; empty when the server did well. */
  readonly failures: readonly FuzzFailure[];
  readonly slowestMs: number;
}

export interface FuzzFailure {
  readonly why: 'server error' | 'not HTTP' | 'hung' | 'not connected';
  readonly kind: string;
  /** Its number in the run, with which the seed gives it again. */
  readonly index: number;
  /** The beginning of request and answer. */
  readonly sent: string;
  readonly got: string;
}

interface Outcome {
  readonly got: string;
  readonly connected: boolean;
  readonly hung: boolean;
  readonly ms: number;
}

/** A request may rightly wait for the rest of what it announced; ending our side then tells the server that nothing follows. */
const PATIENCE = 150;

function fire({ host, port, deadline = 10_000 }: FuzzOptions, { bytes, end }: Shot): Promise<Outcome> {
  const began = performance.now();
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const socket = connect({ host, port, allowHalfOpen: true });
  let got = '';
  let connected = false;
  let quiet: NodeJS.Timeout | undefined;
  const finish = (hung: boolean): void => {
    clearTimeout(timer);
    clearTimeout(quiet);
    socket.destroy();
    resolve({ got, connected, hung, ms: performance.now() - began });
  };
  const timer = setTimeout(() => finish(got === ''), deadline);
  socket.on('connect', () => {
    connected = true;
    socket.write(bytes);
    if (end) socket.end();
    else quiet = setTimeout(() => socket.end(), PATIENCE);
  });
  socket.on('data', (chunk) => {
    if (got.length < 4_096) got += chunk.toString('latin1');
    if (/^HTTP\/1\.1 [2-9]\d\d/.test(got)) finish(false);
  });
  socket.on('error', () => {});
  socket.on('end', () => finish(false));
  socket.on('close', () => finish(false));
  return promise;
}

function verdict({ got, connected, hung }: Outcome): FuzzFailure['why'] | undefined {
  if (!connected) return 'not connected';
  if (hung) return 'hung';
  if (got === '') return undefined;
  const status = /^HTTP\/1\.1 (\d{3})/.exec(got)?.[1];
  if (status === undefined) return 'not HTTP';
  // What S3 has and the embedded store has not is 501 NotImplemented, as S3 answers it.
  return status.startsWith('5') && status !== '501' ? 'server error' : undefined;
}

/** Sends all the requests and tells what came back. */
export async function fuzzHttp(options: FuzzOptions): Promise<FuzzStatistics> {
  const { requests = 10_000, concurrency = 32 } = options;
  const statuses = new Map<number, number>();
  const failures: FuzzFailure[] = [];
  const closedWithoutAnswer = new Map<string, number>();
  let slowestMs = 0;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < requests) {
      const index = next++;
      const sent = await shot(options, index);
      const outcome = await fire(options, sent);
      slowestMs = Math.max(slowestMs, outcome.ms);
      const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(outcome.got)?.[1] ?? 0);
      if (status > 0) statuses.set(status, (statuses.get(status) ?? 0) + 1);
      else if (outcome.got === '') closedWithoutAnswer.set(sent.kind, (closedWithoutAnswer.get(sent.kind) ?? 0) + 1);
      const why = verdict(outcome);
      if (why !== undefined && failures.length < 100)
        failures.push({
          why,
          kind: sent.kind,
          index,
          sent: sent.bytes.toString('latin1', 0, 300),
          got: outcome.got.slice(0, 300),
        });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  return { requests, statuses, closedWithoutAnswer, failures, slowestMs };
}
