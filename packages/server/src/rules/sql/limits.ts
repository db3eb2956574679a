/**
 * Bounds of queries and of their evaluation. Those marked AWS are in the developer guide (page iot-sql-set, section
 * transform of page iot-sql-functions); the others keep hostile SQL and hostile payloads from holding up the broker.
 */
export const SQL_LIMITS = {
  /** Characters of a statement or of an action's field. */
  text: 256 * 1024,
  /** Levels of an expression: parentheses, calls, literals, chains of one operator. */
  nesting: 128,
  /** Levels of JSON that count as JSON. */
  payloadDepth: 64,
  /** AWS: variables of SET, characters of a name, bytes of one value and of all together. */
  variables: 10,
  variableName: 64,
  variableBytes: 128 * 1024,
  /** AWS: what `transform` may give, in bytes. */
  transformBytes: 128 * 1024,
  /** Characters of one text that a function makes. */
  valueText: 512 * 1024,
  /** Bytes of a result. */
  result: 1024 * 1024,
  /** Units of work: an element of a nested query times the size of its body, 32 characters read, a state of a regular expression. */
  steps: 250_000,
  /** Calls of other services in one evaluation. */
  calls: 20,
  /** Characters of a regular expression in the SQL, and of one that comes with a message; states of either. */
  pattern: 2_000,
  messagePattern: 500,
  patternStates: 20_000,
  /** AWS: `get_registry_data` and `get_dynamodb` once, `decode` of Protobuf twice in a statement. */
  registryCalls: 1,
  dynamoDbCalls: 1,
  protobufCalls: 2,
} as const;
