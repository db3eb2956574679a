/**
 * The AWS IoT device SDK's identity client, as a device with a claim uses it, in a process of its own: its native threads
 * outlive its clients. Arguments: generation (1, 2, 2 over MQTT 5), port, CA file, certificate and key file of the claim,
 * template, file of a signing request. Prints a line of JSON for each certificate that was made and registered: three by keys,
 * three by request.
 */
import { readFileSync } from 'node:fs';
import { iotidentity, mqtt } from 'aws-iot-device-sdk-v2';
import { answered, connect311, type SdkDevice, secondGeneration } from './sdk-connect.ts';

const [generation = '', port = '', ca = '', cert = '', key = '', templateName = '', csrFile = ''] = process.argv.slice(2);
const device: SdkDevice = { clientId: `identity-${generation}`, port: Number(port), ca, cert, key };

interface Made {
  readonly certificatePem?: string | undefined;
  readonly privateKey?: string | undefined;
  readonly certificateOwnershipToken?: string | undefined;
}
interface Identity {
  keys(): Promise<Made>;
  request(certificateSigningRequest: string): Promise<Made>;
  register(certificateOwnershipToken: string, parameters: Record<string, string>): Promise<object>;
  close(): Promise<void>;
}

async function first(): Promise<Identity> {
  const connection = await connect311(device);
  const client = new iotidentity.IotIdentityClient(connection);
  const qos = mqtt.QoS.AtLeastOnce;
  return {
    keys: () =>
      answered<Made>(
        async (accepted, rejected) => {
          await client.subscribeToCreateKeysAndCertificateAccepted({}, qos, accepted);
          await client.subscribeToCreateKeysAndCertificateRejected({}, qos, rejected);
        },
        () => client.publishCreateKeysAndCertificate({}, qos),
      ),
    request: (certificateSigningRequest) =>
      answered<Made>(
        async (accepted, rejected) => {
          await client.subscribeToCreateCertificateFromCsrAccepted({}, qos, accepted);
          await client.subscribeToCreateCertificateFromCsrRejected({}, qos, rejected);
        },
        () => client.publishCreateCertificateFromCsr({ certificateSigningRequest }, qos),
      ),
    register: (certificateOwnershipToken, parameters) =>
      answered<object>(
        async (accepted, rejected) => {
          await client.subscribeToRegisterThingAccepted({ templateName }, qos, accepted);
          await client.subscribeToRegisterThingRejected({ templateName }, qos, rejected);
        },
        () => client.publishRegisterThing({ templateName, certificateOwnershipToken, parameters }, qos),
      ),
    close: async () => void (await connection.disconnect()),
  };
}

async function second(): Promise<Identity> {
  const client = await secondGeneration(generation, device, iotidentity.IotIdentityClientv2);
  return {
    keys: () => client.createKeysAndCertificate({}),
    request: (certificateSigningRequest) => client.createCertificateFromCsr({ certificateSigningRequest }),
    register: (certificateOwnershipToken, parameters) =>
      client.registerThing({ templateName, certificateOwnershipToken, parameters }),
    close: async () => client.close(),
  };
}

const identity = generation === '1' ? await first() : await second();
const csr = readFileSync(csrFile, 'utf8');
for (const how of ['keys', 'request'] as const)
  for (const round of [1, 2, 3]) {
    const made = how === 'keys' ? await identity.keys() : await identity.request(csr);
    const registered = await identity.register(made.certificateOwnershipToken ?? '', {
      SerialNumber: `${generation}-${how}-${round}`,
    });
    process.stdout.write(`${JSON.stringify({ how, made, registered })}\n`);
  }
await identity.close();
process.exit();
