/** A violation of MQTT: the reason code is what an MQTT 5 peer is told; every version's connection is closed. */
export class MqttError extends Error {
  override readonly name = 'MqttError';
  /** MQTT 5 reason code, see wire/mqtt/reason-codes.ts. */
  readonly reason: number;

  constructor(reason: number, message: string) {
    super(message);
    this.reason = reason;
  }
}
