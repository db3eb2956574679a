/** What Infineon's tools for the Trust X have in common: their exit codes, and the chip they open. */
import { ElementError } from '../elements/contract.ts';
import { OptigaElement } from '../elements/optiga/optiga-element.ts';
import { openElement } from '../open-element.ts';

/** Exit codes of the tools; the second is a return of -1. */
export const TOOL_EXIT = { done: 0, failed: 1, chip: 255 } as const;

/** Where a tool writes; a line has its newline with it. */
export interface ToolOutput {
  out(text: string): void;
  err(text: string): void;
}

/**
 * Opens the chip at a place (`/dev/i2c-1`, `virtual:FILE`, `socket:PATH`), which may be a whole URI too (`optiga-trust-m:PLACE`).
 * Throws ElementError.
 */
export async function openChip(place: string): Promise<OptigaElement> {
  const element = await openElement(/^optiga-trust-[mx]:/.test(place) ? place : `optiga-trust-x:${place}`);
  if (element instanceof OptigaElement) return element;
  await element[Symbol.asyncDispose]();
  throw new ElementError('invalid', `${place} is no OPTIGA`);
}

/** What an ElementError says, in lines. */
export const faultText = ({ message, hint }: ElementError): string => `${message}\n${hint === undefined ? '' : `  ${hint}\n`}`;
