/** The process of native code: its end, its crash, and what it is asked that it can't do. */
// needs: cc
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { refuses } from '../elements/testing/contract-suite.ts';
import type { NativeCalls } from './native-calls.ts';
import { NativeFault } from './native-fault.ts';
import { NativeProcess } from './native-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'thingkit-native-'));
after(() => rmSync(folder, { recursive: true }));

/** Builds a module whose list of functions is asked for with `body`. */
function moduleOf(name: string, body: string): string {
  const path = join(folder, `${name}.so`);
  writeFileSync(join(folder, `${name}.c`), `#include <unistd.h>\nunsigned long C_GetFunctionList(void **list) { ${body} }\n`);
  execFileSync('cc', ['-shared', '-fPIC', '-o', path, join(folder, `${name}.c`)]);
  return path;
}

test('a module that crashes is an error of communication, and the next call begins another process', async () => {
  await using native = new NativeProcess();
  const crash = moduleOf('crash', '*(volatile int *)8 = 1; return 0;');
  await assert.rejects(native.call('openModule', crash), (error: unknown) => {
    refuses('communication')(error);
    assert.match((error as Error).message, /SIGSEGV/);
    return true;
  });
  const { generation } = native;
  await assert.rejects(native.call('openModule', crash), refuses('communication'));
  assert.ok(native.generation > generation);
  await assert.rejects(native.call('tokens'), { name: 'NativeFault', message: 'no module is open' });
});

test('a module that never returns is ended', async () => {
  await using native = new NativeProcess({ patience: 300 });
  await assert.rejects(native.call('openModule', moduleOf('hang', 'for (;;) pause();')), (error: unknown) => {
    refuses('communication')(error);
    assert.match((error as Error).message, /has not returned within 0\.3 s/);
    return true;
  });
});

test('the process ends with the kit, also while a call hangs', async () => {
  const hang = moduleOf('hang-too', 'for (;;) pause();');
  const script = `
    import { NativeProcess } from ${JSON.stringify(new URL('./native-process.ts', import.meta.url).href)};
    const native = new NativeProcess();
    await native.call('openModule', '/none.so').catch(() => undefined);
    void native.call('openModule', ${JSON.stringify(hang)});
    console.log(native.pid);
  `;
  const kit = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [pid] = (await once(createInterface({ input: kit.stdout }), 'line')) as [string];
  // A process that is gone has no status, or is a zombie that nobody has asked for yet.
  const isThere = (): boolean => {
    try {
      return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  };
  assert.equal(isThere(), true);
  kit.kill('SIGKILL');
  await once(kit, 'exit');
  const end = performance.now() + 5_000;
  while (isThere() && performance.now() < end) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isThere(), false);
});

test('where koffi is not installed the error names it', async () => {
  const without = `data:text/javascript,import { registerHooks } from 'node:module';
    registerHooks({ resolve(name, context, next) {
      if (name !== 'koffi') return next(name, context);
      throw Object.assign(new Error("Cannot find package 'koffi'"), { code: 'ERR_MODULE_NOT_FOUND' });
    } });`;
  await using native = new NativeProcess({ execArgv: ['--import', without] });
  await assert.rejects(native.call('openModule', '/usr/lib/none.so'), (error: unknown) => {
    refuses('missing-library')(error);
    assert.match((error as { hint?: string }).hint ?? '', /npm install koffi/);
    return true;
  });
});

test('a bus that is none is said with the name of the errno, and what is unknown or too long is refused', async () => {
  await using native = new NativeProcess();
  await assert.rejects(native.call('openBus', '/dev/no-such-bus'), { name: 'NativeFault', kind: 'system', code: 'ENOENT' });
  await native.call('openBus', '/dev/null');
  await assert.rejects(native.call('writeBus', 0x60, Buffer.of(0)), { name: 'NativeFault', kind: 'system', code: 'ENOTTY' });
  await assert.rejects(native.call('noSuchCall' as keyof NativeCalls), (error: unknown) => error instanceof NativeFault);
  await assert.rejects(native.call('writeBus', 0x60, Buffer.alloc(300_000)), refuses('invalid'));
});
