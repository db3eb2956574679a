/** The flows that every client runs, each once: what a device does, and what it must see of it. */
import type { Flow } from './flow.ts';
import { MESSAGE_FLOWS } from './message-flows.ts';
import { REFUSAL_FLOWS } from './refusal-flows.ts';
import { SESSION_FLOWS } from './session-flows.ts';

export const FLOWS: readonly Flow[] = [...SESSION_FLOWS, ...MESSAGE_FLOWS, ...REFUSAL_FLOWS];
