/** What the agent does for a job: runs an allowed command, or gets a file and checks its hash. */
import type { AgentError } from './agent-error.ts';
import type { AllowedCommand } from './allowed-commands.ts';
import type { DeviceConnection } from './device-connection.ts';
import { type Download, type DownloadSettings, download } from './download.ts';
import { type JobWork, readJobDocument } from './job-document.ts';
import type { JobExecution, JobOutcome } from './jobs.ts';
import { runProgram } from './run-program.ts';

export interface JobSettings {
  readonly thingName: string;
  readonly commands: ReadonlyMap<string, AllowedCommand>;
  /** Where files go; without it jobs for files are rejected. */
  readonly folder?: string;
  readonly maxBytes: number;
  readonly ca?: string;
  readonly signal: AbortSignal;
}

/** Percent between two reports of progress. */
const STEP = 10;

async function runAllowed(command: string, jobId: string, { commands, thingName, signal }: JobSettings): Promise<JobOutcome> {
  const allowed = commands.get(command);
  if (allowed === undefined) return { status: 'REJECTED', details: { reason: 'the command is not in the list of this device' } };
  const environment = { THING_NAME: thingName, JOB_ID: jobId };
  const { code, isTimedOut, output, failure } = await runProgram(allowed, environment, signal);
  if (isTimedOut) return { status: 'FAILED', details: { reason: `not done within ${allowed.timeoutSeconds} s`, output } };
  if (failure !== undefined) return { status: 'FAILED', details: { reason: failure } };
  return { status: code === 0 ? 'SUCCEEDED' : 'FAILED', details: { exitCode: String(code ?? 'signal'), output } };
}

async function getFile(
  connection: DeviceConnection,
  wanted: Download,
  execution: JobExecution,
  { thingName, folder = '', maxBytes, ca, signal }: JobSettings,
): Promise<JobOutcome> {
  let reported = 0;
  const onProgress = (bytes: number, total: number | undefined): void => {
    const percent = total === undefined || total === 0 ? 0 : Math.floor((bytes / total) * 100);
    if (percent < reported + STEP || percent === 100) return;
    reported = percent;
    void execution.progress({ step: 'download', percent: String(percent) });
  };
  const settings: DownloadSettings = { folder, maxBytes, ca, signal, onProgress };
  const path = await download(connection, thingName, wanted, settings);
  return { status: 'SUCCEEDED', details: { file: path, sha256: wanted.sha256 } };
}

/** Does a job. What it does not know or is not allowed is REJECTED; what does not work is FAILED, with the reason. */
export async function performJob(
  connection: DeviceConnection,
  execution: JobExecution,
  settings: JobSettings,
): Promise<JobOutcome> {
  let work: JobWork;
  try {
    work = readJobDocument(execution.document);
  } catch (error) {
    return { status: 'REJECTED', details: { reason: (error as AgentError).message } };
  }
  if (work.operation === 'run') return runAllowed(work.command, execution.jobId, settings);
  if (settings.folder === undefined) return { status: 'REJECTED', details: { reason: 'this device takes no files' } };
  await execution.progress({ step: 'download', percent: '0' });
  return getFile(connection, work.download, execution, settings);
}
