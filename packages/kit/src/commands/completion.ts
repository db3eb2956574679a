/** `thingkit completion`: scripts for shells, from the rows of the commands. */
import type { Command, CommandResult } from './command.ts';
import { flagsOf } from './read-flags.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A case for each command: flags, then what the last flag takes. */
function bash(commands: readonly Command[]): string {
  const words = commands.map((command) => {
    const flags = flagsOf(command);
    const names = flags.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]);
    const values = flags.flatMap(({ name, oneOf, isPath, value }) => {
      if (oneOf !== undefined)
        return [`        --${name}) COMPREPLY=($(compgen -W ${quoted(oneOf.join(' '))} -- "$cur")); return ;;`];
      return value !== undefined && !isPath ? [`        --${name}) return ;;`] : [];
    });
    const cases = values.length === 0 ? '' : `\n      case $prev in\n${values.join('\n')}\n      esac`;
    return `    ${quoted(command.name)}*)${cases}\n      COMPREPLY=($(compgen -W ${quoted(names.join(' '))} -- "$cur") $(compgen -f -- "$cur")) ;;`;
  });
  // Two words before one: `ca root` is no `ca`.
  const firsts = [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''))];
  const groups = firsts
    .map(
      (first) =>
        [first, commands.flatMap(({ name }) => (name.startsWith(`${first} `) ? [name.slice(first.length + 1)] : []))] as const,
    )
    .filter(([, seconds]) => seconds.length > 0)
    .map(([first, seconds]) => `    ${first}) COMPREPLY=($(compgen -W ${quoted(seconds.join(' '))} -- "$cur")); return ;;`);
  return `_thingkit() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  if [ "$COMP_CWORD" = 1 ]; then COMPREPLY=($(compgen -W ${quoted(firsts.join(' '))} -- "$cur")); return; fi
  if [ "$COMP_CWORD" = 2 ]; then case \${COMP_WORDS[1]} in
${groups.join('\n')}
  esac; fi
  case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
${words.join('\n')}
  esac
}
complete -F _thingkit thingkit
`;
}

const zsh = (commands: readonly Command[]): string => `#compdef thingkit
autoload -U +X bashcompinit && bashcompinit
${bash(commands)}`;

function fish(commands: readonly Command[]): string {
  const lines = commands.flatMap((command) => {
    const [first = '', second] = command.name.split(' ');
    const isFirst = `not __fish_seen_subcommand_from ${[...new Set(commands.map(({ name }) => name.split(' ')[0]))].join(' ')}`;
    const here =
      second === undefined
        ? `__fish_seen_subcommand_from ${first}`
        : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`;
    return [
      `complete -c thingkit -f -n ${quoted(isFirst)} -a ${first}`,
      ...(second === undefined
        ? []
        : [
            `complete -c thingkit -f -n ${quoted(`__fish_seen_subcommand_from ${first}`)} -a ${second} -d ${quoted(command.summary.split('\n')[0] ?? '')}`,
          ]),
      ...flagsOf(command).map(({ name, short, value, what, oneOf, isPath }) =>
        [
          `complete -c thingkit -n ${quoted(here)} -l ${name}`,
          ...(short === undefined ? [] : [`-s ${short}`]),
          ...(value === undefined ? [] : [isPath ? '-rF' : '-x']),
          ...(oneOf === undefined ? [] : [`-a ${quoted(oneOf.join(' '))}`]),
          `-d ${quoted(what)}`,
        ].join(' '),
      ),
    ];
  });
  return `${[...new Set(lines)].join('\n')}\n`;
}

const SCRIPTS = { bash, zsh, fish } as const;

/** The command, which knows all the others. */
export const completionCommand = (others: () => readonly Command[]): Command => ({
  name: 'completion',
  summary: 'Print a script that completes commands and flags in a shell.',
  flags: [{ name: 'shell', value: 'SHELL', what: 'the shell', oneOf: SHELLS, isRequired: true }],
  examples: ['eval "$(thingkit completion --shell bash)"'],
  async run(given): Promise<CommandResult> {
    const shell = given.needed('shell') as (typeof SHELLS)[number];
    const script = SCRIPTS[shell](others());
    return { data: { shell, script }, text: script.trimEnd() };
  },
});
