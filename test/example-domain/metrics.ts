/**
 * A device's report of metrics: what it has to look like, and what is answered (developer guide, page
 * detect-device-side-metrics).
 */
import { parseJson } from '@thingkeep/wire/api/parse-json.ts';

/** The custom metrics of a report by name; undefined where the payload is no report. */
export function readReport(payload: Buffer): { readonly reportId: number; readonly names: readonly string[] } | undefined {
  try {
    const report = parseJson(payload.toString()) as {
      readonly header?: { readonly report_id?: unknown };
      readonly custom_metrics?: Readonly<Record<string, unknown>>;
    };
    const reportId = report.header?.report_id;
    return typeof reportId === 'number' ? { reportId, names: Object.keys(report.custom_metrics ?? {}) } : undefined;
  } catch {
    return undefined;
  }
}

export const accepted = (thingName: string, reportId: number, timestamp: number): object => ({
  thingName,
  reportId,
  status: 'ACCEPTED',
  timestamp,
});

export const rejected = (thingName: string, reportId: number | undefined, message: string, timestamp: number): object => ({
  thingName,
  reportId,
  status: 'REJECTED',
  statusDetails: { ErrorCode: 'InvalidPayload', ErrorMessage: message },
  timestamp,
});
