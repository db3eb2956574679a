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
  /**
   * Units of work: an element of a nested query times the size of its body, 32 characters read, a state of a regular
   * expression.
   */
  steps: 250_000,
  /** Calls of other services in one evaluation. */
  calls: 20,
  /** Names, values, operators, columns and elements of a rule: of its statement and its templates together. */
  nodes: 4_096,
  /** Characters of a regular expression in the SQL, and of one that comes with a message. */
  pattern: 2_000,
  messagePattern: 500,
  /** States of all regular expressions that stand in a rule together, and of one that comes with a message. */
  patternStates: 5_000,
  /** Bytes of memory that compiled expressions of all rules take: those that were not used for the longest time go. */
  keptPatternBytes: 64 * 1024 * 1024,
  /** Nodes of all rules of an account, where 64 characters of their documents count as one. */
  accountNodes: 200_000,
  /** AWS: `get_registry_data` and `get_dynamodb` once, `decode` of Protobuf twice in a statement. */
  registryCalls: 1,
  dynamoDbCalls: 1,
  protobufCalls: 2,
} as const;
