/** Every kind of action that a rule can have. */
import { cloudwatchAlarm } from './cloudwatch-alarm.ts';
import { cloudwatchLogs } from './cloudwatch-logs.ts';
import { cloudwatchMetric } from './cloudwatch-metric.ts';
import type { ActionKey, ActionType, ParametersOf } from './contract.ts';
import { dynamoDB } from './dynamodb.ts';
import { dynamoDBv2 } from './dynamodb-v2.ts';
import { firehose } from './firehose.ts';
import { http } from './http.ts';
import { iotAnalytics } from './iot-analytics.ts';
import { iotEvents } from './iot-events.ts';
import { iotSiteWise } from './iot-site-wise.ts';
import { kafka } from './kafka.ts';
import { kinesis } from './kinesis.ts';
import { lambda } from './lambda.ts';
import { location } from './location.ts';
import { elasticsearch, openSearch } from './open-search.ts';
import { republishAction } from './republish.ts';
import { s3 } from './s3.ts';
import { salesforce } from './salesforce.ts';
import { sns } from './sns.ts';
import { sqs } from './sqs.ts';
import { stepFunctions } from './step-functions.ts';
import { timestream } from './timestream.ts';

type Actions = { readonly [K in ActionKey]: ActionType<ParametersOf<K>> };

export const ACTIONS: Actions = {
  cloudwatchAlarm,
  cloudwatchLogs,
  cloudwatchMetric,
  dynamoDB,
  dynamoDBv2,
  elasticsearch,
  firehose,
  http,
  iotAnalytics,
  iotEvents,
  iotSiteWise,
  kafka,
  kinesis,
  lambda,
  location,
  openSearch,
  republish: republishAction,
  s3,
  salesforce,
  sns,
  sqs,
  stepFunctions,
  timestream,
};
