/**
 * An `openssl` in front of the real one on the PATH: requests whose key is that of Infineon's engine for Trust M are made with the
 * element of THINGKIT_ELEMENT; everything else goes on to the real openssl unchanged.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, realpathSync, writeSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { toPem } from '@thingkeep/x509/pem.ts';
import { writeCsr } from '@thingkeep/x509/write-csr.ts';
import { subjectName } from '../certificates/subject.ts';
import { faultOf } from '../commands/fault.ts';
import { ElementError } from '../elements/contract.ts';
import { elementSigner } from '../elements/element-signer.ts';
import { replaceFile } from '../files/replace-file.ts';
import { asksForEngine, type EngineRequest, parseEngineRequest } from './engine-request.ts';
import { openChip, type ToolOutput } from './tool.ts';

type Variables = Readonly<Record<string, string | undefined>>;

const FAILED = 1;
const NOT_FOUND = 127;

function realPath(path: string): string | undefined {
  try {
    accessSync(path, constants.X_OK);
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** The openssl on the PATH that is not this one. */
function realOpenssl(path: string, front: string): string | undefined {
  const own = realPath(front);
  return path
    .split(delimiter)
    .map((folder) => join(folder, 'openssl'))
    .find((each) => ![undefined, own].includes(realPath(each)));
}

/** Runs the real openssl with the same arguments, input and output; its exit code. */
function passOn(args: readonly string[], front: string, environment: Variables, output: ToolOutput): number {
  const program = realOpenssl(environment.PATH ?? '', front);
  if (program === undefined) {
    output.err('openssl: there is no real openssl behind this one on the PATH\n');
    return NOT_FOUND;
  }
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
  if (error !== undefined) output.err(`openssl: ${error.message}\n`);
  return status ?? FAILED;
}

/** Makes a key where that is asked for, and the request. Throws ElementError. */
async function makeEngineRequest({ key, subject, out, form }: EngineRequest, uri: string): Promise<void> {
  const name = subjectName(subject);
  await using element = await openChip(uri);
  if (key.newUsage !== undefined) await element.generateKeyFor(key.oid, key.newUsage);
  const request = await writeCsr(name, await elementSigner(element, key.oid));
  const content = form === 'der' ? request : Buffer.from(toPem('CERTIFICATE REQUEST', request));
  if (out === undefined) writeSync(1, content);
  else replaceFile(out, content, 0o644);
}

/** Runs openssl's command line; its exit code. `front` is the path by which this front was called. */
export async function runOpenssl(
  args: readonly string[],
  front: string,
  environment: Variables,
  output: ToolOutput,
): Promise<number> {
  if (!asksForEngine(args)) return passOn(args, front, environment, output);
  try {
    const request = parseEngineRequest(args);
    const uri = environment.THINGKIT_ELEMENT ?? '';
    if (!/^optiga-trust-[mx]:/.test(uri))
      throw new ElementError('invalid', 'THINGKIT_ELEMENT does not say where the OPTIGA is', {
        hint: 'such as THINGKIT_ELEMENT=optiga-trust-m:/dev/i2c-1',
      });
    await makeEngineRequest(request, uri);
    return 0;
  } catch (error) {
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    output.err(`openssl: ${fault.message}\n${fault.hint === undefined ? '' : `  ${fault.hint}\n`}`);
    return FAILED;
  }
}
