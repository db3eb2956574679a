/**
 * Kafka's client in a thread of its own. It takes what brokers answer at their word, and an odd answer ends it with an
 * exception that nobody can catch: so it ends the thread, whose orders are tried again in a new one, and not the server.
 */
import { Worker } from 'node:worker_threads';
import type { EgressPlan } from '../../outgoing/egress.ts';

/** A producer, by a name that stands for all of its properties. */
export interface ProducerConfig {
  readonly name: string;
  readonly bootstrapBrokers: readonly string[];
  readonly tls: boolean;
  readonly sasl?: { readonly mechanism: string; readonly username: string; readonly password: string };
}

export interface KafkaSend {
  readonly producer: ProducerConfig;
  readonly topic: string;
  readonly value: Uint8Array;
  readonly acks: number;
  readonly compression?: string;
  readonly key?: string;
  readonly partition?: number;
  readonly headers: readonly (readonly [string, string])[];
}

/** What the thread may connect to. */
export interface KafkaReach {
  readonly plan: EgressPlan;
  /** `host:port` of the brokers that the operator has named. */
  readonly named: readonly string[];
}

/** What the thread is told, and what it answers: the fault's text, or nothing when the record was taken. */
export interface KafkaOrder extends KafkaSend {
  readonly id: number;
}
export interface KafkaAnswer {
  readonly id: number;
  readonly fault?: string;
}

/** Milliseconds that the thread has for an answer. */
const PATIENCE = 9000;

export class KafkaWorker {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, (fault: string | undefined) => void>();
  #last = 0;
  #closed = false;
  readonly #reach: () => KafkaReach;

  /** `reach` is asked when a thread begins: the server has its ports by then. */
  constructor(reach: () => KafkaReach) {
    this.#reach = reach;
  }

  /** Undefined when the record was taken; else why not. */
  produce(send: KafkaSend): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve('the server ends');
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve) => {
      const late = setTimeout(() => this.#answered(id, 'no answer came in time'), PATIENCE).unref();
      this.#waiting.set(id, (fault) => {
        clearTimeout(late);
        resolve(fault);
      });
      this.#thread().postMessage({ ...send, id } satisfies KafkaOrder);
    });
  }

  close(): void {
    this.#closed = true;
    void this.#worker?.terminate();
    this.#failAll('the server ends');
  }

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const own = import.meta.url;
    const worker = new Worker(new URL(`./kafka-thread${own.slice(own.lastIndexOf('.'))}`, own), {
      env: {},
      execArgv: [],
      workerData: this.#reach(),
    });
    this.#worker = worker;
    worker.on('message', ({ id, fault }: KafkaAnswer) => this.#answered(id, fault));
    worker.on('error', () => undefined);
    worker.once('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
      this.#failAll('the Kafka client ended with a fault');
    });
    // It keeps no server alive.
    worker.unref();
    return worker;
  }

  #answered(id: number, fault: string | undefined): void {
    const answered = this.#waiting.get(id);
    this.#waiting.delete(id);
    answered?.(fault);
  }

  #failAll(fault: string): void {
    for (const id of [...this.#waiting.keys()]) this.#answered(id, fault);
  }
}
