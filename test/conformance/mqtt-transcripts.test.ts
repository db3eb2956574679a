/**
 * Conversations on the wire as data (transcripts/*.json): what a client sends and, to the byte, what it gets. Each runs as
 * written, and again with every byte in a chunk of its own. They name the clause of MQTT 3.1.1 or 5, or the page of AWS,
 * that they come from; anyone's server can be tried with them.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { type Level, TestBench, TestPeer } from '../../packages/server/src/broker/test-bench.ts';

type Step = { readonly send: string } | { readonly expect: string } | { readonly closed: true };

interface Transcript {
  readonly name: string;
  readonly clause: string;
  readonly level: Level;
  readonly steps: readonly Step[];
}

const FOLDER = new URL('./transcripts/', import.meta.url);

async function play({ level, steps }: Transcript, chunksOf: (bytes: Buffer) => Buffer[]): Promise<void> {
  await using bench = await TestBench.open();
  const peer = new TestPeer(bench.broker, level, bench.judge);
  let got = '';
  for (const [i, step] of steps.entries()) {
    if ('send' in step) {
      peer.raw(...chunksOf(Buffer.from(step.send, 'hex')));
      await bench.settle();
      got += peer.channel.take().toString('hex');
    } else if ('expect' in step) {
      assert.equal(got.slice(0, step.expect.length), step.expect, `step ${i}`);
      got = got.slice(step.expect.length);
    } else assert.ok(peer.channel.closed, `step ${i}: the connection has ended`);
  }
  assert.equal(got, '', 'nothing came that was not expected');
  if (!steps.some((step) => 'closed' in step)) assert.equal(peer.channel.closed, false, 'the connection stands');
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
