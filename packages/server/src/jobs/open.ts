/** What other domains work on jobs by: one writer, so that all that is said of jobs is said in the order of the commits. */
import { EnabledEvents } from '../events/enabled-events.ts';
import type { Changes } from '../store/changes.ts';
import { DocumentUrls, type DocumentUrlsOptions } from './document-urls.ts';
import { JobWriter, type JobWriterOptions } from './job-writer.ts';

export interface JobsModule {
  readonly enabled: EnabledEvents;
  readonly urls: DocumentUrls;
  readonly writer: JobWriter;
}

export interface JobsModuleOptions extends Omit<JobWriterOptions, 'enabled' | 'urls'>, DocumentUrlsOptions {
  readonly changes: Changes;
  readonly regions: () => Promise<readonly string[]>;
}

export function openJobs(options: JobsModuleOptions): JobsModule {
  const enabled = new EnabledEvents(options);
  const urls = new DocumentUrls(options);
  return { enabled, urls, writer: new JobWriter({ ...options, enabled, urls }) };
}
