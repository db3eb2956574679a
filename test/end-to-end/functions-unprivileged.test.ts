/** Functions of a server that is not root: in bubblewrap, or with its rights (docs/decisions/functions-bubblewrap.md). */
// needs: bubblewrap root system-python3
import assert from 'node:assert/strict';
import { chmodSync, chownSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { TestFunctions } from './functions.ts';
import { startServer, temporaryFolder } from './test-core.ts';

describe('of a server that is not root', () => {
  const NOBODY = 60_300;
  const SPY = `
import glob, os
def attempt(work):
    try:
        return work()
    except OSError as error:
        return error.strerror
def name(pid):
    return open('/proc/%s/cmdline' % pid).read().split('\\0')[0]
def handler(event, context):
    task = os.environ['LAMBDA_TASK_ROOT']
    workshop = os.path.dirname(task)
    return {
        'data folder': attempt(lambda: os.listdir(event['data'])),
        'commands': sorted(set(name(pid) for pid in os.listdir('/proc') if pid.isdigit())),
        'folders': sorted(os.listdir(workshop)),
        'uncovered': os.system('umount %s 2>/dev/null || umount -l %s 2>/dev/null' % (event['data'], workshop)) != 0,
        'by more namespaces': os.system('unshare --user --map-root-user --mount umount -l %s 2>/dev/null' % event['data']) != 0,
        'files of the server': attempt(lambda: open(event['file'], 'a')),
        'its code': attempt(lambda: open(task + '/index.py', 'a')),
        'its folder': attempt(lambda: open(os.environ['TMPDIR'] + '/a', 'w').write('a')),
    }
`;

  test('the server, its data and other functions are not to be seen', async () => {
    await using other = await startServer({ user: NOBODY });
    using its = new TestFunctions(other);
    await its.python('waits', 'import time\ndef handler(event, context):\n    print("waits")\n    time.sleep(9)\n');
    await its.later('waits');
    await its.logged('waits', 'waits');
    const mine = join(temporaryFolder(), 'file');
    writeFileSync(mine, '');
    chownSync(mine, NOBODY, NOBODY);
    chmodSync(dirname(mine), 0o755);
    await its.python('spy', SPY);
    const { answer } = await its.invoke('spy', { data: other.dataDir, file: mine });
    rmSync(dirname(mine), { recursive: true });
    assert.deepEqual(answer, {
      'data folder': 'No such file or directory',
      commands: ['/usr/bin/bwrap', '/usr/bin/python3', '/var/lang/bin/node'],
      folders: ['lang', 'runtime', 'task'],
      uncovered: true,
      'by more namespaces': true,
      'files of the server': 'No such file or directory',
      'its code': 'Read-only file system',
      'its folder': 1,
    });
    await its.node('node', 'export const handler = async (event) => event;');
    assert.deepEqual((await its.invoke('node', { a: 1 })).answer, { a: 1 });
  });

  test('or, when its operator says so, it runs them with all of its rights', async () => {
    await using other = await startServer({ user: NOBODY, args: ['--allow-unconfined-functions'] });
    using its = new TestFunctions(other);
    await its.python('free', 'import os\ndef handler(event, context):\n    return os.path.exists(event["file"])\n');
    assert.equal((await its.invoke('free', { file: join(other.dataDir, 'credentials') })).answer, true);
  });
});
