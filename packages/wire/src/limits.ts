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
  /** The same of all sessions and shared subscriptions of an account, and its persistent sessions (ours). */
  accountQueuedMessages: 5_000_000,
  accountQueuedBytes: 4 * 1024 * 1024 * 1024,
  persistentSessions: 1_000_000,
  /** Retained messages of an account (AWS: 5,000, raised on request), and bytes of their topics and payloads (ours). */
  retainedMessages: 100_000,
  retainedBytes: 1024 * 1024 * 1024,
  /** Certificates that just-in-time registration has registered and nothing has activated, of an account and of one CA (ours). */
  pendingCertificates: 50_000,
  pendingCertificatesOfCa: 10_000,
  /** Bytes of the objects of an account in the embedded store (ours). */
  /** Shadows of an account in a region, with those that were deleted in the last 48 hours. */
  shadows: 1_000_000,
  /** The same of one thing. */
  shadowsOfThing: 10_000,
  objectBytes: 10 * 1024 * 1024 * 1024,
  /** Messages that the rules of an account evaluate in a second, in each region. */
  ruleEvaluations: 20_000,
} as const;

/**
 * Rates that AWS IoT Core keeps, all per second (General Reference, "AWS IoT Core endpoints and quotas"). Those of an
 * account hold in each region by itself.
 */
export const RATES = {
  /** MQTT CONNECTs of an account, and of one client id. */
  connects: 3000,
  connectsPerClientId: 1,
  /** Messages that the clients of an account publish, and messages that they get. */
  publishesIn: 20_000,
  publishesOut: 20_000,
  /** Messages, and bytes of all packets, of one connection: each way by itself. */
  publishesPerConnection: 100,
  bytesPerConnection: 512 * 1024,
  /** Topic filters in the SUBSCRIBEs of an account. */
  subscriptions: 3000,
  /** Messages with RETAIN of an account, and on one topic. */
  retainedPublishes: 500,
  retainedPublishesPerTopic: 1,
  /** Messages that a persistent session kept, sent to the client that has come back for them. */
  replayedMessages: 10,
  /** DeleteConnection, GetConnection, ListSubscriptions and SendDirectMessage: calls of an account, and on one client. */
  connectionRequests: 100,
  connectionRequestsPerClientId: 1,
  /** Devices' requests of jobs in an account: those that read, and those that start and update executions. */
  jobReads: 200,
  jobWrites: 200,
  /** Requests on shadows, over MQTT and HTTP: of an account, and of one thing. */
  shadowRequests: 4000,
  shadowRequestsPerThing: 20,
} as const;
