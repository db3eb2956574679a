/**
 * The AWS IoT device SDK's shadow clients, as a device uses them, in a process of its own: its native threads outlive its clients.
 * Arguments: generation (1, 2, 2 over MQTT 5), port, CA file, certificate and key file, thing. Prints a line of JSON for each step.
 */
import { iotshadow, mqtt } from 'aws-iot-device-sdk-v2';
import { connect311, type SdkDevice, secondGeneration } from './sdk-connect.ts';

const [generation = '', port = '', ca = '', cert = '', key = '', thingName = ''] = process.argv.slice(2);
const device: SdkDevice = { clientId: `shadow-${generation}`, port: Number(port), ca, cert, key };
const qos = mqtt.QoS.AtLeastOnce;

interface ShadowClient {
  get(): Promise<object>;
  update(state: object, version?: number): Promise<object>;
  remove(): Promise<object>;
  /** The next delta, and the next pair of documents. */
  delta(): Promise<object>;
  documents(): Promise<object>;
}

/** What comes one by one, asked for one by one. */
class Coming {
  readonly #came: object[] = [];
  readonly #waiting: ((item: object) => void)[] = [];
  readonly put = (item: object | undefined): void => {
    if (item === undefined) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#came.push(item);
    else waiting(item);
  };

  next(): Promise<object> {
    const item = this.#came.shift();
    return item === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(item);
  }
}

async function first(): Promise<ShadowClient> {
  const client = new iotshadow.IotShadowClient(await connect311(device));
  const [answers, deltas, documents] = [new Coming(), new Coming(), new Coming()];
  const heard = (coming: Coming) => (error?: Error, response?: object) => coming.put(response ?? { failed: error?.message });
  const of = { thingName };
  await client.subscribeToGetShadowAccepted(of, qos, heard(answers));
  await client.subscribeToGetShadowRejected(of, qos, heard(answers));
  await client.subscribeToUpdateShadowAccepted(of, qos, heard(answers));
  await client.subscribeToUpdateShadowRejected(of, qos, heard(answers));
  await client.subscribeToDeleteShadowAccepted(of, qos, heard(answers));
  await client.subscribeToDeleteShadowRejected(of, qos, heard(answers));
  await client.subscribeToShadowDeltaUpdatedEvents(of, qos, heard(deltas));
  await client.subscribeToShadowUpdatedEvents(of, qos, heard(documents));
  const asked = async (publish: Promise<unknown>): Promise<object> => {
    await publish;
    return answers.next();
  };
  return {
    get: () => asked(client.publishGetShadow({ ...of, clientToken: 'get' }, qos)),
    update: (state, version) => asked(client.publishUpdateShadow({ ...of, state, version, clientToken: 'update' }, qos)),
    remove: () => asked(client.publishDeleteShadow({ ...of, clientToken: 'delete' }, qos)),
    delta: () => deltas.next(),
    documents: () => documents.next(),
  };
}

async function second(): Promise<ShadowClient> {
  const client = await secondGeneration(generation, device, iotshadow.IotShadowClientv2);
  const [deltas, documents] = [new Coming(), new Coming()];
  const [deltaStream, updatedStream] = [
    client.createShadowDeltaUpdatedStream({ thingName }),
    client.createShadowUpdatedStream({ thingName }),
  ];
  deltaStream.on('incomingPublish', ({ message }) => deltas.put(message));
  updatedStream.on('incomingPublish', ({ message }) => documents.put(message));
  const established = [deltaStream, updatedStream].map(
    (stream) => new Promise((resolve) => stream.once('subscriptionStatus', resolve)),
  );
  deltaStream.open();
  updatedStream.open();
  await Promise.all(established);
  /** The response, or what the service has rejected it with. */
  const settled = (request: Promise<object>): Promise<object> =>
    request.catch(
      (error: { readonly modeledError?: object; readonly message: string }) => error.modeledError ?? { failed: error.message },
    );
  return {
    get: () => settled(client.getShadow({ thingName })),
    update: (state, version) => settled(client.updateShadow({ thingName, state, version })),
    remove: () => settled(client.deleteShadow({ thingName })),
    delta: () => deltas.next(),
    documents: () => documents.next(),
  };
}

const client = generation === '1' ? await first() : await second();
const print = async (step: string, answer: Promise<object>): Promise<void> => {
  process.stdout.write(`${JSON.stringify({ step, ...(await answer) })}\n`);
};
await print('get', client.get());
await print('update', client.update({ desired: { led: 'on' }, reported: { led: 'off' } }));
await print('delta', client.delta());
await print('documents', client.documents());
await print('conflict', client.update({ reported: { led: 'on' } }, 7));
await print('update', client.update({ reported: { led: 'on' } }, 1));
await print('documents', client.documents());
await print('get', client.get());
await print('delete', client.remove());
process.exit();
