/**
 * Placeholders of software packages in job documents (developer guide, page preparing-jobs-for-service-package-catalog): put in
 * when the job is made. An artifact becomes a placeholder of a presigned URL, which is signed when a device asks.
 */
import { fail } from '@thingkeep/wire/errors.ts';
import type { DestinationVersion } from '../software-packages/contract.ts';
import { PLACEHOLDER } from './documents.ts';

interface PackagePlaceholder {
  readonly packageName: string;
  readonly versionName: string;
  readonly what: 'all attributes' | 'attribute' | 'artifact';
  readonly attribute: string;
}

/** What a document is filled from; without `versions` it is that of a template, whose versions a job may still name. */
export interface PackageScope {
  readonly region: string;
  readonly roleArn: string | undefined;
  readonly versions: readonly DestinationVersion[];
}

/** A placeholder with the quotes around it, where it is a whole text. */
const IN_TEXT = /(?<!\\)"\$\{aws:iot:package:([^{}"]*)\}"|\$\{aws:iot:package:([^{}"]*)\}/g;
const PARTS = /^([^:]*):version:([^:]*):(?:(attributes)(?::(.+))?|artifact(?:-location)?:s3-presigned-url)$/s;

const invalid = (message: string): never => fail('InvalidRequestException', message);

/** Whether a document has placeholders of software packages. */
export const hasPackages = (text: string): boolean => text.includes('${aws:iot:package:');

function readPlaceholder(text: string): PackagePlaceholder {
  const found = PARTS.exec(text);
  if (found === null) return invalid(`The placeholder \${aws:iot:package:${text}} is not valid.`);
  const [, packageName = '', versionName = '', attributes, attribute] = found;
  // The texts are the guide's (page software-package-catalog-troubleshooting).
  if ((packageName === '') !== (versionName === '')) invalid('Empty package name and version name have to be used in pair.');
  if (versionName === '$null') invalid('$null is not allowed to be referenced as a package version in job documents.');
  const what = attributes === undefined ? 'artifact' : attribute === undefined ? 'all attributes' : 'attribute';
  return { packageName, versionName, what, attribute: attribute ?? '' };
}

/** The version that a placeholder means: the only one of the job, or the one that both name in the same way. */
function versionOf(
  { packageName, versionName }: PackagePlaceholder,
  versions: readonly DestinationVersion[],
): DestinationVersion {
  if (packageName === '') {
    if (versions.length > 1)
      invalid('Cannot resolve empty package name and version name given multiple elements in destination package versions.');
    const [only] = versions;
    if (only === undefined)
      return invalid('Cannot resolve empty package name and version name without destination package versions.');
    if (only.versionName === undefined) invalid('$null is not allowed to be referenced as a package version in job documents.');
    return only;
  }
  const found = versions.find((each) => each.packageName === packageName && each.namedAs === versionName);
  return (
    found ??
    invalid(`Package ${packageName} version ${versionName} of the job document is not among the destination package versions.`)
  );
}

/** Text inside of a JSON text; what a value says is never a placeholder itself. */
const inText = (value: string): string => JSON.stringify(value).slice(1, -1).replaceAll('${', '\\u0024{');

function urlPlaceholder({ packageName, versionName, artifact }: DestinationVersion, { region, roleArn }: PackageScope): string {
  if (artifact === undefined)
    return invalid(
      `Package ${packageName} version ${versionName} does not have an associated artifact to generate an S3 presigned url.`,
    );
  if (roleArn === undefined)
    invalid(
      `presignedUrlConfig role ARN is required to generate an S3 presigned url in job document for package ${packageName} version ${versionName} artifact.`,
    );
  const { bucket, key, version } = artifact;
  const path = `${bucket}/${key}${version === undefined ? '' : `?versionId=${version}`}`;
  return `\${aws:iot:s3-presigned-url-v2:https://s3.${region}.amazonaws.com/${encodeURIComponent(path).replaceAll('%2F', '/')}}`;
}

function filled(placeholder: PackagePlaceholder, scope: PackageScope): string {
  const version = versionOf(placeholder, scope.versions);
  const { packageName, versionName, attributes } = version;
  const { what, attribute } = placeholder;
  if (what === 'all attributes')
    return `{${Object.entries(attributes)
      .map(([name, value]) => `"${inText(name)}":"${inText(value)}"`)
      .join(',')}}`;
  if (what === 'artifact') return urlPlaceholder(version, scope);
  const value = Object.hasOwn(attributes, attribute) ? attributes[attribute] : undefined;
  if (value === undefined) return invalid(`Package ${packageName} version ${versionName} has no attribute ${attribute}.`);
  return inText(value);
}

/** The document with packages put in; without a scope, as a template's, every placeholder becomes a text that stands for it. */
export function withPackages(text: string, scope?: PackageScope): string {
  if (!hasPackages(text)) return text;
  const outer = [...text.matchAll(PLACEHOLDER)].map(({ index, 0: { length } }) => [index, index + length] as const);
  return text.replace(IN_TEXT, (whole: string, quoted: string | undefined, bare: string | undefined, at: number) => {
    const placeholder = readPlaceholder(quoted ?? bare ?? '');
    const isWhole = quoted !== undefined;
    const isNested = outer.some(([from, to]) => from < at && at < to);
    if (placeholder.what === 'all attributes' && !isWhole)
      invalid(
        'The package version attribute placeholder for all attributes has to be a json value by itself and not appended with other strings or nested with other placeholders.',
      );
    if (placeholder.what === 'artifact' && isNested) invalid(`${whole} cannot be nested inside another placeholder.`);
    const value = scope === undefined ? 'x' : filled(placeholder, scope);
    if (placeholder.what === 'all attributes') return scope === undefined ? '{}' : value;
    return isWhole ? `"${value}"` : value;
  });
}
