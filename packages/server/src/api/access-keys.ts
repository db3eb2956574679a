/** Access keys: what the API's front asks of whoever keeps them. */

export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly accountId: string;
  /** ARN and unique id of the identity, as GetCallerIdentity shows them. */
  readonly arn: string;
  readonly userId: string;
  /** Temporary credentials carry one; a request must then bring the same. */
  readonly sessionToken?: string;
}

export type FindAccessKey = (accessKeyId: string) => Promise<AccessKey | undefined>;
