/**
 * The document of an OTA update's job, as FreeRTOS devices read it (FreeRTOS user guide, page ota-cli-workflow). Members are in
 * AWS's order.
 */
import type { ObjectVersion } from '../objects/contract.ts';
import type { FileSignature, OtaFileRecord, OtaProtocol, OtaStream } from './store.ts';

/** A file with what is known of its bytes. */
export interface SizedFile extends OtaFileRecord {
  readonly size: number;
  /** Where devices that have HTTP get it. */
  readonly object: ObjectVersion;
}

const AUTH_SCHEME = 'aws.s3.presigned';

/** A placeholder that becomes a URL each time that a device gets the document. */
function urlOf({ bucket, key, version }: ObjectVersion): string {
  const path = key.split('/').map(encodeURIComponent).join('/');
  const query = version === undefined ? '' : `?versionId=${encodeURIComponent(version)}`;
  return `\${aws:iot:s3-presigned-url-v2:https://s3.amazonaws.com/${encodeURIComponent(bucket)}/${path}${query}}`;
}

const signatureOf = ({ hashAlgorithm, signatureAlgorithm, signature }: FileSignature): Record<string, string> => ({
  [`sig-${hashAlgorithm}-${signatureAlgorithm}`.toLowerCase()]: signature,
});

export interface OtaDocument {
  readonly protocols: readonly OtaProtocol[];
  readonly stream?: OtaStream | undefined;
  readonly files: readonly SizedFile[];
}

export function otaDocument({ protocols, stream, files }: OtaDocument): string {
  const byHttp = protocols.includes('HTTP');
  const listed = files.map(({ fileName, size, fileId, fileType, object, signature }) => ({
    filepath: fileName,
    filesize: size,
    fileid: fileId,
    certfile: signature?.certificateName,
    fileType,
    ...(byHttp ? { update_data_url: urlOf(object), auth_scheme: AUTH_SCHEME } : {}),
    ...(signature === undefined ? {} : signatureOf(signature)),
  }));
  const streamname = protocols.includes('MQTT') ? stream?.streamId : undefined;
  return JSON.stringify({ afr_ota: { protocols, streamname, files: listed } });
}
