/**
 * How requests name a Lambda function: by its name, a part of its ARN or the whole, each with or without a version or alias
 * (Lambda API reference, FunctionName). Read in one place: what a right is asked on has to be what the call is about.
 */

export interface FunctionReference {
  readonly region?: string;
  readonly accountId?: string;
  readonly name: string;
  readonly qualifier?: string;
}

const REFERENCE =
  /^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:([a-z]{2}(?:-[a-z]+)+-\d):)?(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9-_]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?$/;

/** Undefined for a text that names no function. */
export function parseFunctionReference(text: string): FunctionReference | undefined {
  const [, region, accountId, name, qualifier] = REFERENCE.exec(text) ?? [];
  if (name === undefined) return undefined;
  return {
    name,
    region,
    accountId,
    qualifier,
  };
}
