/** The s3 action: PutObject (developer guide, page s3-rule-action). */
import { asking, type ClientConfig } from './aws-clients.ts';
import { ActionError } from './action-error.ts';
import type { ActionType, ParametersOf } from './contract.ts';

export const s3: ActionType<ParametersOf<'s3'>> = {
  name: 'S3Action',
  resource: ({ bucketName = '' }) => bucketName,
  permissions({ parameters: { bucketName = '', key = '', cannedAcl } }) {
    // A proxy in front of a store may resolve such steps, and put the object elsewhere than was asked for.
    if (/(^|\/)\.{1,2}(\/|$)/.test(key)) throw new ActionError('the key has a step that is . or ..', false);
    const resource = bucketName.startsWith('arn:') ? `${bucketName}/object/${key}` : `arn:aws:s3:::${bucketName}/${key}`;
    const put = { action: 's3:PutObject', resource };
    return cannedAcl === undefined ? [put] : [put, { action: 's3:PutObjectAcl', resource }];
  },
  run: ([{ parameters, payload }], { aws, place, role, signal }) =>
    asking(async () => {
      const { PutObjectCommand, S3Client } = await import('@aws-sdk/client-s3');
      // Stores that are not AWS's have no host name for each bucket.
      const make = (config: ClientConfig): InstanceType<typeof S3Client> =>
        new S3Client({ ...config, forcePathStyle: config.endpoint !== undefined, requestChecksumCalculation: 'WHEN_REQUIRED' });
      const { bucketName = '', key, cannedAcl } = parameters;
      // The host would be made of what the ARN says.
      if (bucketName.startsWith('arn:') && aws.endpoints('s3')[0] !== 'aws')
        throw new ActionError('access points are at AWS alone: name the bucket', false);
      await aws.client({ place, role }, 's3', make).send(
        new PutObjectCommand({
          Bucket: bucketName,
          Key: key,
          Body: payload,
          ACL: cannedAcl as 'private' | undefined,
        }),
        { abortSignal: signal },
      );
    }),
};
