/** How a function is named: by the ARN of a Lambda function, or by the URL that it is at. */

/** `arn:aws:lambda:{region}:{account}:function:{name}`, with or without a version or alias. */
const LAMBDA_ARN =
  /^arn:aws[a-z-]{0,16}:lambda:([a-z0-9-]{1,32}):(\d{12}):function:[a-zA-Z0-9_-]{1,140}(?::(?:\$LATEST|[a-zA-Z0-9_-]{1,128}))?$/;

/** The URL that a function is at, when it is named by one that may be called. */
export function functionUrl(name: string): URL | undefined {
  if (!/^https?:\/\//.test(name)) return undefined;
  const url = URL.parse(name);
  // Credentials in a URL would be shown to callers that may describe the authorizer.
  return url === null || url.username !== '' || url.password !== '' ? undefined : url;
}

/** The region in a Lambda function's ARN; undefined when `name` is none. */
export const lambdaRegion = (name: string): string | undefined => LAMBDA_ARN.exec(name)?.[1];

/** The account in a Lambda function's ARN; undefined when `name` is none. */
export const lambdaAccount = (name: string): string | undefined => LAMBDA_ARN.exec(name)?.[2];

/** Whether `name` is what `invoke` takes: a Lambda function's ARN, or an http or https URL without credentials. */
export const isFunctionName = (name: string): boolean => lambdaRegion(name) !== undefined || functionUrl(name) !== undefined;
