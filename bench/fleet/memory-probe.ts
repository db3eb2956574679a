/** Loaded into the server's process ahead of it: answers its parent, over the channel between them, how memory stands. */

export interface Memory {
  /** Bytes: objects of JavaScript, and what hangs on them outside of its heap (buffers, TLS). */
  readonly heapUsed: number;
  readonly external: number;
  readonly resident: number;
  /** Timers, sockets and other things that keep the process alive. */
  readonly resources: number;
}

process.on('message', (order: 'collect' | 'look') => {
  // Twice: what finalizers let go of in the first is collected in the second.
  if (order === 'collect') for (let i = 0; i < 2; i += 1) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo().length;
  process.send?.({ heapUsed, external, resident: rss, resources } satisfies Memory);
});
// The server ends when it has nothing left to do, whoever may still ask.
process.channel?.unref();
