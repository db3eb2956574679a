/** Where URLs of S3 point: bucket, key and version, of paths and of hosts with the bucket's name (S3 user guide, page VirtualHosting). */
import { isPlainName, type ObjectName } from '../objects/contract.ts';

export interface S3Location extends ObjectName {
  readonly versionId: string | undefined;
}

const OWN_HOST = /^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])\.s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com$/;
const VERSION = /\?versionId=([^&]+)$/;

const parts = (path: string): readonly [bucket: string, key: string] => {
  const slash = path.indexOf('/');
  return slash < 0 ? [path, ''] : [path.slice(0, slash), path.slice(slash + 1)];
};

/** The object of a URL whose key is plain text; undefined where there is none. */
export function locateObject(url: string): S3Location | undefined {
  const found = /^https?:\/\/([^/?#]+)\/(.*)$/s.exec(url);
  if (found === null) return undefined;
  const [, host = '', rest = ''] = found;
  const versionId = VERSION.exec(rest)?.[1];
  const path = rest.replace(VERSION, '');
  const own = OWN_HOST.exec(host)?.[1];
  const [bucket, key] = own === undefined ? parts(path) : [own, path];
  return key === '' || !isPlainName({ bucket, key }) ? undefined : { bucket, key, versionId };
}
