/** Documents of jobs that the agent knows: run an allowed command, or get a file. */
import { AgentError } from './agent-error.ts';
import { type Download, isFileName } from './download.ts';

export type JobWork =
  | { readonly operation: 'run'; readonly command: string }
  | { readonly operation: 'download'; readonly download: Download };

const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};

const malformed = (what: string): AgentError => new AgentError('content', `the job document ${what}`);

function downloadOf({ url, stream, file, sha256 }: Readonly<Record<string, unknown>>): Download {
  if (typeof file !== 'string' || !isFileName(file)) throw malformed('has no "file" that is a plain name');
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/i.test(sha256)) throw malformed('has no "sha256" of 64 hexadecimal digits');
  const hash = sha256.toLowerCase();
  if (typeof url === 'string' && stream === undefined) return { file, sha256: hash, from: { url } };
  const { id, file: fileId } = record(stream);
  if (
    url !== undefined ||
    typeof id !== 'string' ||
    !/^[\w-]{1,128}$/.test(id) ||
    !Number.isInteger(fileId) ||
    Number(fileId) < 0
  )
    throw malformed('has neither a "url" nor a "stream" with its "id" and "file"');
  return { file, sha256: hash, from: { stream: id, fileId: Number(fileId) } };
}

/**
 * The name of the command that a step of AWS's managed templates runs: `{"steps":[{"action":{"type":"runHandler","input":{"handler":
 * "reboot.sh","args":[...]}}}]}`. One step without arguments, since commands have theirs fixed.
 */
function handlerOf(steps: readonly unknown[]): string {
  const { type, input } = record(record(steps[0]).action);
  const { handler, args = [] } = record(input);
  if (steps.length !== 1 || type !== 'runHandler' || typeof handler !== 'string' || !Array.isArray(args) || args.length > 0)
    throw malformed('has steps other than one handler without arguments');
  return handler;
}

/** Throws AgentError `content` where it is none of them. */
export function readJobDocument(document: unknown): JobWork {
  const fields = record(document);
  if (fields.operation === 'run') {
    if (typeof fields.command !== 'string') throw malformed('has no "command"');
    return { operation: 'run', command: fields.command };
  }
  if (fields.operation === 'download') return { operation: 'download', download: downloadOf(fields) };
  if (Array.isArray(fields.steps)) return { operation: 'run', command: handlerOf(fields.steps) };
  throw malformed('has no "operation" that this agent knows: run, download');
}
