/**
 * Completion scripts for bash, zsh and fish.
 *
 * Pure. Every text goes into single quotes, so that no description can be taken for a command.
 */
import type { CompletedVerb, Flag, Value } from './completed.ts';

type Script = (verbs: readonly CompletedVerb[]) => string;

/** Bash; files are completed where a path is asked for, or nothing else is known. */
export const bash: Script = (
  verbs,
) => `# Completion of mdevfleet for bash: source <(mdevfleet completion bash)
_mdevfleet() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} verb= word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in ${verbs.map(({ name }) => name).join('|')}) verb=$word; break ;; esac
  done
  case "$verb $previous" in
${verbs.flatMap(bashValues).join('\n')}
  esac
  case $verb in
    '') COMPREPLY=($(compgen -W ${quoted(verbs.map(({ name }) => name).join(' '))} -- "$current")) ;;
${verbs.map(bashVerb).join('\n')}
  esac
}
complete -o bashdefault -o default -F _mdevfleet mdevfleet
`;

/** Flags of which nothing is known are together on a line, and so are those that take a path. */
function bashValues({ name, flags }: CompletedVerb): readonly string[] {
  const spelled = (kind: Value['kind']) =>
    flags
      .filter(({ value }) => value?.kind === kind)
      .flatMap(({ names }) => names.map((one) => `${name} ${one}`));
  const line = (patterns: readonly string[], then: string) =>
    patterns.length === 0 ? [] : [`    ${patterns.map(quoted).join('|')}) ${then} return ;;`];
  const choices = flags.flatMap(({ names, value }) =>
    value?.kind === 'words'
      ? line(
          names.map((one) => `${name} ${one}`),
          `COMPREPLY=($(compgen -W ${quoted(value.words.join(' '))} -- "$current"));`,
        )
      : [],
  );
  const none = 'COMPREPLY=();';
  return [
    ...choices,
    ...line(spelled('path'), none),
    ...line(spelled('any'), `${none} compopt +o default +o bashdefault;`),
  ];
}

function bashVerb({ name, flags, args }: CompletedVerb): string {
  const words = [...args.flatMap(wordsOf), ...flags.flatMap(({ names }) => names)].join(' ');
  return `    ${name}) COMPREPLY=($(compgen -W ${quoted(words)} -- "$current")) ;;`;
}

function wordsOf(value: Value): readonly string[] {
  return value.kind === 'words' ? value.words : [];
}

/** Zsh; to be put into a folder of fpath under the name _mdevfleet, or sourced. */
export const zsh: Script = (verbs) => `#compdef mdevfleet
# Completion of mdevfleet for zsh: source <(mdevfleet completion zsh), or write it to _mdevfleet in a folder of fpath.
_mdevfleet() {
  local curcontext="$curcontext" context state state_descr line
  typeset -A opt_args
  _arguments -C '1: :->verb' '*::: :->rest' && return
  case $state in
    verb)
      local -a verbs=(
${verbs.map(({ name, about }) => `        ${quoted(`${name}:${about}`)}`).join('\n')}
      )
      _describe verb verbs
      ;;
    rest)
      words=("$line[1]" "\${words[@]}")
      (( CURRENT += 1 ))
      case $line[1] in
${verbs.map(zshVerb).join('\n')}
      esac
      ;;
  esac
}
if [[ $funcstack[1] == _mdevfleet ]]; then _mdevfleet "$@"; else compdef _mdevfleet mdevfleet; fi
`;

function zshVerb({ name, flags, args, variadic }: CompletedVerb): string {
  const specs = [
    ...flags.flatMap(zshFlag),
    ...args.map((value, index) => {
      const place = variadic && index === args.length - 1 ? '*' : `${index + 1}`;
      return quoted(`${place}: :${zshAction(value)}`);
    }),
  ];
  return `        ${name}) _arguments ${specs.join(' ')} ;;`;
}

function zshFlag({ names, about, value }: Flag): readonly string[] {
  const text = about.replaceAll(/[\\[\]:]/g, '\\$&');
  const takes = value === null ? '' : `: :${zshAction(value)}`;
  return names.map((name) => quoted(`${name}[${text}]${takes}`));
}

function zshAction(value: Value): string {
  switch (value.kind) {
    case 'words':
      return `(${value.words.join(' ')})`;
    case 'path':
      return '_files';
    case 'any':
      return ' ';
    default:
      return value satisfies never;
  }
}

/** Fish; to be sourced, or put into ~/.config/fish/completions. */
export const fish: Script = (verbs) => `# Completion of mdevfleet for fish: mdevfleet completion fish | source
complete -c mdevfleet -f
${verbs.flatMap(fishVerb).join('\n')}
`;

function fishVerb({ name, about, flags, args }: CompletedVerb): readonly string[] {
  const within = `complete -c mdevfleet -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
  const words = args.flatMap(wordsOf).join(' ');
  const paths = args.some(({ kind }) => kind === 'path');
  return [
    `complete -c mdevfleet -n __fish_use_subcommand -a ${name} -d ${fishQuoted(about)}`,
    ...(words === '' ? [] : [`${within} -a ${fishQuoted(words)}`]),
    ...(paths ? [`${within} -F`] : []),
    ...flags.map((flag) => `${within}${fishFlag(flag)}`),
  ];
}

function fishFlag({ names, about, value }: Flag): string {
  const spelled = names.map((name) =>
    name.startsWith('--') ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`,
  );
  return `${spelled.join('')}${value === null ? '' : fishValue(value)} -d ${fishQuoted(about)}`;
}

function fishValue(value: Value): string {
  if (value.kind === 'path') return ' -r -F';
  return value.kind === 'words' ? ` -x -a ${fishQuoted(value.words.join(' '))}` : ' -x';
}

/** For shells whose quotes take everything as it is. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
