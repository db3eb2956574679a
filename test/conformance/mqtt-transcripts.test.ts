/**
 * Conversations on the wire as data (transcripts/*.json): what a client sends and, to the byte, what it gets; some go over
 * several connections, or over time. Each runs as written, and again with every byte in a chunk of its own. They name the
 * clauses of their version of MQTT, or the page of AWS, that they come from; anyone's server can be tried with them.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { type Level, TestBench, TestPeer } from '../../packages/server/src/broker/test-bench.ts';

/** What goes over one connection, or happens to it; `on` names one other than the first. */
type Step = { readonly on?: string } & (
  | { readonly send: string }
  | { readonly expect: string }
  /** The server has ended the connection. */
  | { readonly closed: true }
  /** The network loses the connection. */
  | { readonly lost: true }
  /** Seconds go by. */
  | { readonly pass: number }
);

interface Transcript {
  readonly name: string;
  readonly clause: string;
  readonly level: Level;
  readonly steps: readonly Step[];
}

const FOLDER = new URL('./transcripts/', import.meta.url);
const FIRST = 'a';

/** One connection of a transcript: it begins where it is first named. */
class Connection {
  readonly #peer: TestPeer;
  #got = '';
  #over = false;

  constructor(peer: TestPeer) {
    this.#peer = peer;
  }

  send(chunks: readonly Buffer[]): void {
    this.#peer.raw(...chunks);
  }

  expect(bytes: string, label: string): void {
    this.#take();
    assert.equal(this.#got.slice(0, bytes.length), bytes, label);
    this.#got = this.#got.slice(bytes.length);
  }

  closed(label: string): void {
    assert.ok(this.#peer.channel.closed, `${label}: the connection has ended`);
    this.#over = true;
  }

  lost(): void {
    this.#peer.client.ended();
    this.#over = true;
  }

  atTheEnd(name: string): void {
    this.#take();
    assert.equal(this.#got, '', `${name}: nothing came that was not expected`);
    if (!this.#over) assert.equal(this.#peer.channel.closed, false, `${name}: the connection stands`);
  }

  #take(): void {
    this.#got += this.#peer.channel.take().toString('hex');
  }
}

async function play({ level, steps }: Transcript, chunksOf: (bytes: Buffer) => Buffer[]): Promise<void> {
  await using bench = await TestBench.open();
  const connections = new Map<string, Connection>();
  for (const [i, step] of steps.entries()) {
    if ('pass' in step) {
      await bench.pass(step.pass);
      continue;
    }
    const name = step.on ?? FIRST;
    const connection = connections.get(name) ?? new Connection(new TestPeer(bench.broker, level, bench.authorizer));
    connections.set(name, connection);
    if ('send' in step) connection.send(chunksOf(Buffer.from(step.send, 'hex')));
    else if ('expect' in step) connection.expect(step.expect, `step ${i}`);
    else if ('closed' in step) connection.closed(`step ${i}`);
    else connection.lost();
    await bench.settle();
  }
  for (const [name, connection] of connections) connection.atTheEnd(name);
  assert.deepEqual(bench.faults, []);
}

const whole = (bytes: Buffer): Buffer[] => [bytes];
const single = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.of(byte));

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json')))
  suite(file, () => {
    for (const transcript of JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as Transcript[])
      test(`v${transcript.level}: ${transcript.name} [${transcript.clause}]`, async () => {
        await play(transcript, whole);
        await play(transcript, single);
      });
  });
