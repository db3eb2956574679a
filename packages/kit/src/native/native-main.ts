/**
 * First module of the process of native code: native-process.ts starts it. It ends with its parent: by the channel's end, and by
 * the kernel where a call does not return.
 */
import { bytesIn, MAX_MESSAGE, type NativeAnswer, type NativeRequest } from './messages.ts';
import { closeNative, NATIVE_CALLS } from './native-calls.ts';
import { NativeFault } from './native-fault.ts';

const CALLS: Readonly<Record<string, (...args: never[]) => unknown>> = NATIVE_CALLS;

async function answer({ id, name, args }: NativeRequest): Promise<NativeAnswer> {
  try {
    const call = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
    if (call === undefined) throw new NativeFault('failed', `${name} is no call of native code`);
    const value = await call(...(args as never[]));
    if (bytesIn(value) > MAX_MESSAGE) throw new NativeFault('failed', `the answer to ${name} has over ${MAX_MESSAGE} bytes`);
    return { id, value };
  } catch (error) {
    const fault = error instanceof NativeFault ? error : new NativeFault('failed', (error as Error).message);
    return { id, fault: { kind: fault.kind, message: fault.message, code: fault.code } };
  }
}

let last: Promise<unknown> = Promise.resolve();
process.on('message', (request: NativeRequest) => {
  last = last.then(async () => process.send?.(await answer(request)));
});
process.on('disconnect', () => {
  closeNative();
  process.exit();
});
// Ctrl+C is for the kit, which ends this process when it has ended its own work.
process.on('SIGINT', () => undefined);
