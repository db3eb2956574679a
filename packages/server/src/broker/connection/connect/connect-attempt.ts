/** A CONNECT on its way through the steps that accept it. */
import type { Connect } from '../../../mqtt/connect.ts';
import type { Admission } from '../../contract.ts';
import type { AccountSpace } from '../../routing/account.ts';
import type { Client } from '../client.ts';

/** A valid CONNECT, which has a client id. */
export interface ValidConnect {
  readonly client: Client;
  readonly connect: Connect;
  /** Whether the client id is the server's choice. */
  readonly isAssigned: boolean;
}

/** A CONNECT whose sender has been authenticated and authorized. */
export interface AdmittedConnect extends ValidConnect {
  readonly admission: Admission;
  readonly account: AccountSpace;
  /** Seconds. */
  readonly keepAlive: number;
  /** Seconds that the session outlives the connection; 0 for one that ends with it. */
  readonly sessionExpiry: number;
}
