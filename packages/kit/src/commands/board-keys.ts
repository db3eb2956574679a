/** Buttons of the board: single keys at a terminal, and lines of standard input otherwise. */
import type { Surroundings } from './command.ts';

type Button = 1 | 2 | 3;

const buttonOf = (text: string): Button | undefined => (/^[123]$/.test(text.trim()) ? (Number(text) as Button) : undefined);

/** Ctrl+C, which a terminal sends as it is where it gives single keys. */
const INTERRUPT = '\u0003';

function keysOf({ signal, say }: Surroundings, press: (button: Button) => Promise<void>): Promise<void> {
  const { stdin } = process;
  say('keys 1, 2 and 3 press a button; Ctrl+C ends');
  stdin.setRawMode(true);
  const onKey = (data: Buffer): void => {
    for (const key of data.toString()) {
      if (key === INTERRUPT) process.kill(process.pid, 'SIGINT');
      const button = buttonOf(key);
      if (button !== undefined) void press(button);
    }
  };
  stdin.on('data', onKey);
  return new Promise((resolve) => {
    const end = (): void => {
      stdin.off('data', onKey);
      stdin.setRawMode(false);
      stdin.pause();
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

/** Presses buttons until standard input ends, or the user interrupts. */
export async function listenToKeys(surroundings: Surroundings, press: (button: Button) => Promise<void>): Promise<void> {
  if (process.stdin.isTTY) return keysOf(surroundings, press);
  for (let line = await surroundings.ask(''); line !== undefined; line = await surroundings.ask('')) {
    const button = buttonOf(line);
    if (button === undefined) surroundings.say(`${line} is no button: 1, 2 or 3`);
    else await press(button);
  }
}
