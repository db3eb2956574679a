/** The document of an execution's job, as it is stored. */
import type { ReadTransaction } from '../store/contract.ts';
import { hasUrls, type UrlDocument } from './document-urls.ts';
import { type JobExecutionRecord, jobDocuments, jobs } from './store.ts';

/** The document of an execution, with what its URLs are signed by. */
export async function documentOf(
  tx: ReadTransaction,
  { accountId, jobId }: JobExecutionRecord,
): Promise<UrlDocument | undefined> {
  const text = (await tx.get(jobDocuments, [accountId, jobId]))?.document;
  if (text === undefined) return undefined;
  const presignedUrls = hasUrls(text) ? (await tx.get(jobs, [accountId, jobId]))?.presignedUrls : undefined;
  return { text, presignedUrls };
}
