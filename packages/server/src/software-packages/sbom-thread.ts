/** The thread of one archive: it is checked, and its results are posted. Begun by sbom-check.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '@thingkeep/wire/errors.ts';
import { checkSbom } from './sbom.ts';
import type { SbomAnswer } from './sbom-check.ts';

const answer = async (): Promise<SbomAnswer> => {
  try {
    return { results: await checkSbom(Buffer.from(workerData as Uint8Array)) };
  } catch (error) {
    return { refusal: messageOf(error) };
  }
};

parentPort?.postMessage(await answer());
