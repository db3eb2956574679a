/** The thread of the index: it has the file open and does one call after another. Begun by index-thread.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '@thingkeep/wire/errors.ts';
import { systemClock } from '../../runtime/clock.ts';
import { type IndexAnswer, type IndexCall, indexCalls } from './calls.ts';
import { IndexFile } from './index-file.ts';

const file = new IndexFile((workerData as { readonly path: string }).path, () => systemClock.monotonic());
const calls = indexCalls(file);

const answer = (message: IndexAnswer): void => parentPort?.postMessage(message);

parentPort?.on('message', (message: IndexCall | 'close') => {
  if (message === 'close') {
    file.close();
    process.exit(0);
  }
  const { id, name, args } = message;
  try {
    file.startTime();
    answer({ id, result: (calls[name] as (...given: readonly unknown[]) => unknown)(...args) });
  } catch (error) {
    answer({ id, fault: messageOf(error) });
  }
});

answer({ isNew: file.isNew });
