/** The session of an admitted CONNECT, and the record of its connection. */
import type { Opened } from '../../routing/sessions.ts';
import type { Admission } from '../../contract.ts';
import type { SessionOwner } from '../../session/session.ts';
import type { Client } from '../client.ts';
import type { AdmittedConnect } from './connect-attempt.ts';

/** Opens the client's session, its old one or a new one, and enters the connection in the register. */
export function openSession({ client, connect, account, admission, sessionExpiry }: AdmittedConnect): Opened {
  const { register, sessions } = client.broker;
  const opened = sessions.open(client, account, connect, { ...ownerOf(client, admission), expiry: sessionExpiry });
  client.bindSession(opened.session);
  register.enter(client, account.place);
  return opened;
}

/** The owner of the session. A certificate that was merely shown, beside another way of logging in, has no say. */
function ownerOf(client: Client, { principal, principalId }: Admission): Omit<SessionOwner, 'expiry'> {
  const { certificateId } = client.identity.peer;
  return { principal, certificateId: principalId === certificateId ? certificateId : undefined };
}
