/** What a process of a function is started in, and what the server knows of it then; with bubblewrap, or without anything. */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { CleanUp } from './clean-up.ts';
import type { RuntimeApi, RuntimeSession } from './runtime-api.ts';
import type { RuntimeKind } from './runtimes.ts';
import type { Starting } from './scripts.ts';
import type { Holding } from './watch.ts';

/** A process that was started, with all that it starts. */
export interface Launched {
  readonly child: ChildProcess & { readonly stdout: Readable };
  /** What is held now; undefined before the function runs, and when it has gone. */
  look(): Holding | undefined;
  /** Whether the kernel found that it held too much. */
  isOverMemory(): boolean;
  kill(): void;
  /** Ends what is left of it; resolves once nothing is. */
  end(): Promise<void>;
}

/** How much a process may hold. */
export interface Bounds {
  /** Bytes. */
  readonly memory: number;
  readonly files: number;
  readonly sockets: number;
}

export interface Enclosure {
  /** Where the function finds its code, and a folder to write in. */
  readonly taskRoot: string;
  readonly temporary: string;
  readonly endpointUrl: string;
  /** PEM file of the authority that the API's certificate is signed by. */
  readonly authorityFile: string | undefined;
  readonly bounds: Bounds;
  /** Milliseconds between two looks while it works. */
  readonly watchEvery: number;
  /** Lets the process ask for its events; gives AWS_LAMBDA_RUNTIME_API. */
  admit(session: RuntimeSession): Promise<string>;
  /** What stands before the program. */
  starting(kind: RuntimeKind, memoryMb: number, variables: Readonly<Record<string, string>>): Starting;
  launch(starting: Starting): Launched;
}

export interface EnclosureNeeds {
  readonly kind: RuntimeKind;
  /** Bytes. */
  readonly memory: number;
  readonly codeFolder: string;
  readonly cleanUp: CleanUp;
}

export interface Enclosures {
  readonly runtimeApi: RuntimeApi;
  prepare(needs: EnclosureNeeds): Promise<Enclosure>;
  /** Why functions of this kind can't be run here; undefined when they can. */
  fault(kind: RuntimeKind): Promise<string | undefined>;
  close(): Promise<void>;
}
