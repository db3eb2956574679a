// needs: openssl
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createServer } from 'node:tls';
import { promisify } from 'node:util';
import { systemClock } from '../runtime/clock.ts';
import { openAuthority } from './authority.ts';

const run = promisify(execFile);

test('one listener serves both certificates: openssl gets the kind that it can read, and verifies it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'served-'));
  t.after(() => rm(folder, { recursive: true }));
  const authority = await openAuthority({ folder: join(folder, 'ca'), clock: systemClock, hostNames: [] });
  const roots = join(folder, 'roots.pem');
  await writeFile(roots, authority.rootCaPem);
  const server = createServer(authority.serverCredentials()).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = [
    [['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'], 'ecdsa'],
    [['-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'], 'rsa'],
    [['-tls1_3', '-sigalgs', 'ecdsa_secp256r1_sha256:rsa_pkcs1_sha256'], 'ecdsa'],
    [['-tls1_3', '-sigalgs', 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256'], 'rsa'],
  ] as const;
  for (const [options, kind] of clients) {
    const args = ['-connect', `127.0.0.1:${port}`, '-CAfile', roots, '-verify_return_error', '-verify_hostname', 'localhost'];
    const peer = run('openssl', ['s_client', ...args, ...options]);
    peer.child.stdin?.end();
    const { stdout } = await peer;
    assert.match(stdout, /Verify return code: 0 \(ok\)/);
    assert.match(stdout, kind === 'rsa' ? /Peer signature type: RSA/ : /Peer signature type: ECDSA/);
  }
});
