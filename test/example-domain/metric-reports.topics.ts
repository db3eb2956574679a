/** Reports of metrics: answered as accepted or rejected (developer guide, page detect-device-side-metrics). */
import { topicService, type TopicService } from '../../packages/server/src/broker/messaging.ts';
import type { Clock } from '../../packages/server/src/runtime/clock.ts';
import type { KnownMetrics } from './known-metrics.ts';
import { accepted, readReport, rejected } from './metrics.ts';

export const metricReports = (known: KnownMetrics, clock: Clock): readonly TopicService[] => [
  topicService('$aws/things/{thingName}/defender/metrics/json', async ({ place, topic, parts: { thingName }, payload }) => {
    const answer = (what: 'accepted' | 'rejected', body: object) => [
      { topic: `${topic}/${what}`, payload: Buffer.from(JSON.stringify(body)), to: 'both' as const },
    ];
    const report = readReport(payload);
    const now = clock.now();
    if (report === undefined) return answer('rejected', rejected(thingName, undefined, 'the payload is no report', now));
    const names = await known.of(place);
    const unknown = report.names.find((name) => !names.has(name));
    if (unknown === undefined) return answer('accepted', accepted(thingName, report.reportId, now));
    return answer('rejected', rejected(thingName, report.reportId, `there is no metric ${unknown}`, now));
  }),
];
