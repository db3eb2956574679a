/** The flags with which commands name AWS IoT, or a server in its place. */
import type { IoTClient } from '@aws-sdk/client-iot';
import { openIotClient } from '../service/iot-service.ts';
import { type Flag, type Given, KitError, type Surroundings } from './command.ts';

export const SERVICE_FLAGS: readonly Flag[] = [
  { name: 'endpoint-url', value: 'URL', what: 'of the API; else AWS_ENDPOINT_URL, else AWS' },
  { name: 'region', value: 'REGION', what: 'else AWS_REGION or that of the profile' },
];

/** A client of AWS IoT's control API, as the flags and the environment say. */
export function clientOf(given: Given, { environment }: Surroundings): IoTClient {
  const endpoint = given.text('endpoint-url');
  if (endpoint !== undefined && !URL.canParse(endpoint)) throw new KitError('usage', `${endpoint} is no URL`);
  const region = given.text('region') ?? environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION;
  return openIotClient({ endpoint, region });
}
