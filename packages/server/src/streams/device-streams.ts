/** What devices ask of streams: a description, and blocks of a file. */
import type { Place } from '@thingkeep/wire/arn.ts';
import type { PayloadFormat } from '../payloads/payloads.ts';
import type { Store } from '../store/contract.ts';
import { blockMessage, blocksOf } from './blocks.ts';
import { reject } from './rejections.ts';
import type { BlockRequest } from './requests.ts';
import { type StreamRecord, streams } from './store.ts';
import type { StreamFiles } from './stream-files.ts';

export interface DeviceStreamsDeps {
  readonly inRegion: (region: string) => Store;
  readonly files: StreamFiles;
}

export class DeviceStreams {
  readonly #deps: DeviceStreamsDeps;

  constructor(deps: DeviceStreamsDeps) {
    this.#deps = deps;
  }

  async describe(place: Place, streamId: string): Promise<object> {
    const { version: s, description: d, files } = await this.#streamOf(place, streamId);
    return { s, d, r: files.map(({ fileId: f, size: z }) => ({ f, z })) };
  }

  /** The messages of the wanted blocks, one by one. */
  async *blocks(
    place: Place,
    streamId: string,
    wanted: BlockRequest,
    as: { readonly token: string | undefined; readonly format: PayloadFormat },
  ): AsyncGenerator<Buffer, void, undefined> {
    const stream = await this.#streamOf(place, streamId);
    const { version, fileId, blockSize, count } = wanted;
    if (version !== undefined && version !== stream.version)
      reject('VersionMismatch', `The version of the stream is ${stream.version}`);
    const file = stream.files.find((each) => each.fileId === fileId);
    if (file === undefined) return reject('ResourceNotFound', `The stream has no file ${fileId}`);
    const indexes = blocksOf(wanted, file.size);
    if (indexes.length === 0 && count > 0) reject('ResourceNotFound', `The file ${fileId} has none of these blocks`);
    const opened = await this.#deps.files.open(place, stream, file);
    for (const index of indexes) {
      const begin = index * blockSize;
      const bytes = await opened.read(begin, Math.min(begin + blockSize, file.size));
      yield blockMessage({ token: as.token, fileId, index, bytes }, as.format);
    }
  }

  async #streamOf({ region, accountId }: Place, streamId: string): Promise<StreamRecord> {
    const found = await this.#deps.inRegion(region).read((tx) => tx.get(streams, [accountId, streamId]));
    return found ?? reject('ResourceNotFound', `There is no stream ${streamId}`);
  }
}
