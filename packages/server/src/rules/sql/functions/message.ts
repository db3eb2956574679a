/** Functions that tell of the message and of the rule's account (developer guide, page iot-sql-functions). */
import { toInt } from '../arithmetic.ts';
import type { RuleMessage } from '../contract.ts';
import { fromDouble, toDouble } from '../numbers.ts';
import { put, type SqlObject, type SqlValue, toNumber } from '../values.ts';
import { define, type SqlFunctions, ofValues } from './definition.ts';

/** Segments count from 1. */
const topic = ofValues({ least: 0, most: 1 }, (args, { message, dialect }) => {
  if (args.length === 0) return message.topic;
  const number = toNumber(args[0]);
  const place = number === undefined ? undefined : toInt(number, 'floor', dialect);
  return place === undefined ? undefined : message.topic.split('/')[toDouble(place) - 1];
});

function mqttProperty({ properties }: RuleMessage, name: SqlValue): SqlValue {
  if (properties === undefined) return undefined;
  switch (name) {
    case 'format_indicator':
      return properties.payloadFormatIndicator === 1 ? 'UTF8_DATA' : 'UNSPECIFIED_BYTES';
    case 'content_type':
      return properties.contentType;
    case 'response_topic':
      return properties.responseTopic;
    case 'correlation_data':
      return properties.correlationData?.toString('utf8');
    default:
      return undefined;
  }
}

const pair = ([key, value]: readonly [string, string]): SqlObject => {
  const object: Record<string, SqlValue> = {};
  put(object, key, value);
  return object;
};

/** Values of one key, or all pairs as objects of one member each; Undefined when there are none. */
const userProperties = ofValues({ least: 0, most: 1 }, (args, { message }) => {
  const all = message.properties?.userProperty ?? [];
  const found: SqlValue[] = args.length === 0 ? all.map(pair) : all.filter(([key]) => key === args[0]).map(([, value]) => value);
  return found.length === 0 ? undefined : found;
});

export const MESSAGE: SqlFunctions = {
  accountid: ofValues({ least: 0 }, (_, { services }) => services.accountId),
  clientid: ofValues({ least: 0 }, (_, { message }) => message.clientId ?? 'n/a'),
  get_mqtt_property: ofValues({ least: 1 }, ([name], { message }) => mqttProperty(message, name)),
  get_user_properties: userProperties,
  newuuid: define(
    { least: 0 },
    (_, { id }) =>
      (evaluation) =>
        evaluation.once(id, () => evaluation.services.uuid()),
  ),
  principal: ofValues({ least: 0 }, (_, { message }) => message.principal),
  rand: define(
    { least: 0 },
    (_, { id, dialect }) =>
      (evaluation) =>
        evaluation.once(id, () => fromDouble(evaluation.services.random(), dialect)),
  ),
  sourceip: ofValues({ least: 0 }, (_, { message }) => message.sourceIp),
  sql_version: ofValues({ least: 0 }, (_, { dialect }) => dialect.version),
  timestamp: ofValues({ least: 0 }, (_, { message }) => message.receivedAt),
  topic,
  traceid: ofValues({ least: 0 }, (_, { message }) => message.traceId),
};
