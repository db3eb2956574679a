/** The text of `thingkeep help`, whole or of one command. */
import { settingsHelp } from '../config/config.ts';

/** By command, in the order of the whole text. */
const PARTS: Readonly<Record<string, string>> = {
  start: `  thingkeep start [FLAGS]       run the server`,
  env: `  thingkeep env [FLAGS]         print export lines that point AWS tools at it: eval "$(thingkeep env)"`,
  refusals: `  thingkeep refusals [FLAGS]    say which devices were refused, and why
      --client-id ID  --certificate-id ID (or its first 8 digits)  --check NAME  --limit N  --follow  --json
                                of another account than the first: --account-id ID`,
  certificates: `  thingkeep certificates [FLAGS]
                                list certificates and CA certificates that expire soon; exit code 1 where there are some
      --expiring 30d  --all-accounts  --json
                                of another account than the first: --account-id ID`,
  accounts: `  thingkeep accounts list | create [ID] [--profile NAME] | keys ID [--new]  [--json]
                                accounts and the access keys of their roots`,
  audit: `  thingkeep audit verify [--json]
                                find what was changed in the audit log`,
  check: `  thingkeep check [--repair] [--json]
                                find what is damaged in the data folder; save what can be saved`,
  backup: `  thingkeep backup DIR          copy the data folder into a new folder, while the server runs or not`,
  restore: `  thingkeep restore BACKUP      make the data folder of a backup; --data-dir DIR must be missing or empty`,
  help: `  thingkeep help [COMMAND]      this text, or the part of one command`,
  version: `  thingkeep --version           the version, and that of Node.js`,
};

const flags =
  (): string => `Flags; each has an environment variable (--data-dir: THINGKEEP_DATA_DIR) and a key in --config FILE (JSON)
${settingsHelp()}
`;

/** Commands that read no setting. */
const WITHOUT_SETTINGS: ReadonlySet<string> = new Set(['help', 'version']);
const SETTINGS_OF_START = `
Flags of thingkeep start count here too: --data-dir DIR names the data folder, --config FILE the settings.
thingkeep help start lists them all.
`;

/** The part of a command; without a name, all of them. */
export function helpOf(command?: string): string {
  if (command === undefined) return `thingkeep: your own AWS IoT Core\n\n${Object.values(PARTS).join('\n')}\n\n${flags()}`;
  const part = `${PARTS[command] ?? ''}\n`;
  if (command === 'start') return `${part}\n${flags()}`;
  return WITHOUT_SETTINGS.has(command) ? part : `${part}${SETTINGS_OF_START}`;
}
