/** Runs one of the programs of this folder, which its launcher names, with the arguments of the command line. */
import { openTerminal } from '../commands/terminal.ts';
import type { ToolOutput } from './tool.ts';

const OUTPUT: ToolOutput = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

export async function runTool(name: string, args: readonly string[]): Promise<void> {
  using terminal = openTerminal(false);
  const { environment } = terminal;
  const usual = environment.THINGKIT_ELEMENT;
  if (name === 'openssl') {
    const [front = '', ...rest] = args;
    const { runOpenssl } = await import('./openssl-front.ts');
    process.exitCode = await runOpenssl(rest, front, environment, OUTPUT);
  } else if (name === 'optiga_generate_csr')
    process.exitCode = await (await import('./generate-csr.ts')).generateCsr(args, usual, OUTPUT);
  else process.exitCode = await (await import('./upload-crt.ts')).uploadCrt(args, usual, OUTPUT);
}
