/** The s3 action: PutObject (developer guide, page s3-rule-action). */
import { asking, type ClientConfig } from './aws-clients.ts';
import type { ActionType, ParametersOf } from './contract.ts';

export const s3: ActionType<ParametersOf<'s3'>> = {
  name: 'S3Action',
  resource: ({ bucketName = '' }) => bucketName,
  run: ([{ parameters, payload }], { aws, place, signal }) =>
    asking(async () => {
      const { PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
      // Stores that are not AWS's have no host name for each bucket.
      const make = (config: ClientConfig): InstanceType<typeof S3Client> =>
        new S3Client({ ...config, forcePathStyle: config.endpoint !== undefined, requestChecksumCalculation: 'WHEN_REQUIRED' });
      const { bucketName, key, cannedAcl } = parameters;
      await aws.client(place, 's3', make).send(
        new PutObjectCommand({
          ...{ Bucket: bucketName, Key: key, Body: payload },
          ...(cannedAcl === undefined ? {} : { ACL: cannedAcl as 'private' }),
        }),
        { abortSignal: signal },
      );
    }),
};
