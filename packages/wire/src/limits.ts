/**
 * Limits of size and shape that AWS IoT Core keeps (General Reference, "AWS IoT Core endpoints and quotas").
 * Sizes in bytes, times in seconds.
 */
export const LIMITS = {
  /** UTF-8 bytes of an MQTT client identifier. */
  clientId: 128,
  /** UTF-8 bytes of a topic or topic filter. */
  topic: 256,
  /** Slashes in a topic or filter, reserved prefixes not counted. */
  topicSlashes: 7,
  /** Payload of one message. */
  payload: 128 * 1024,
  /** A whole MQTT packet, payload, topic and properties together. */
  packet: 146 * 1024,
  /** Smallest Maximum Packet Size that an MQTT 5 client may ask for. */
  smallestMaximumPacketSize: 512,
  filtersPerSubscribe: 8,
  subscriptionsPerConnection: 50,
  keepAliveLeast: 30,
  keepAliveMost: 1200,
  /** Unacknowledged QoS 1 messages each way. */
  inFlight: 100,
  topicAliases: 8,
  userPropertyBytes: 8 * 1024,
  contentTypeBytes: 256,
  correlationDataBytes: 8 * 1024,
  messageExpiryMost: 604_800,
  shareName: 128,
  /** Groups of shared subscriptions in an account, and members of one. */
  shares: 100,
  shareMembers: 100,
  /** A persistent session's life without a connection: by default, and at most. */
  sessionExpiry: 3600,
  sessionExpiryMost: 604_800,
  /** QoS 1 messages that wait for a session or a shared subscription (AWS: 500,000 of a shared one), and bytes of them (ours). */
  queuedMessages: 500_000,
  queuedBytes: 1024 * 1024 * 1024,
} as const;
