/** Where a message came from: what rules may know of its publisher. */

/** Where a message came from, as far as it is known. */
export interface Origin {
  /** Absent unless it came over MQTT. */
  readonly clientId?: string;
  /** As rules name it: a certificate's id, or what another identity has. */
  readonly principal?: string;
  readonly sourceIp?: string;
  /** Set for a will: what rules do with it is on disk with the end of its connection, whatever its QoS. */
  readonly isWill?: boolean;
  /** Set when a rule sent it: how many rules are behind it, and how many messages they may still make of the first one. */
  readonly chain?: { readonly depth: number; readonly budget: { left: number } };
}
