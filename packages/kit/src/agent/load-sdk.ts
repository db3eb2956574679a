/** Loads the AWS IoT device SDK, an optional dependency whose TLS takes keys of PKCS #11 tokens. */
import type * as DeviceSdk from 'aws-iot-device-sdk-v2';
import { AgentError } from './agent-error.ts';

export type Sdk = Pick<typeof DeviceSdk, 'iot' | 'io' | 'mqtt5'>;

/** Throws AgentError `missing-library`. */
export async function loadSdk(): Promise<Sdk> {
  try {
    const { default: sdk } = await import('aws-iot-device-sdk-v2');
    return sdk;
  } catch (cause) {
    throw new AgentError(
      'missing-library',
      `aws-iot-device-sdk-v2 can not be loaded: ${(cause as Error).message.split('\n')[0]}`,
      {
        hint: 'npm install aws-iot-device-sdk-v2@1 in the folder where thingkit is installed',
        cause,
      },
    );
  }
}
