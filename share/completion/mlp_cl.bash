# bash completion for mlp_cl. It asks the command for its own help, and so knows the commands and options of that version.
_mlp_cl_commands() { "$program" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\)  *.*/\1/p'; }

# Without a command its options are those of train.
_mlp_cl_help() { "$program" "${command:-train}" --help 2>/dev/null; }

_mlp_cl_options() { _mlp_cl_help | sed -n 's/^  \(-., \|    \)\(--[a-z-]*\).*/\2/p'; }

# The line of option $1 with what follows it up to the next option, as one line.
_mlp_cl_option() {
  _mlp_cl_help | sed 's/^  -\(.\), /      /' | awk -v option="$1" '
    /^      --/ || !NF { inside = $1 == option || index($1, option "=") == 1 }
    inside { $1 = $1; printf "%s ", $0 }'
}

_mlp_cl_values() {
  local line
  line=$(_mlp_cl_option "$1")
  case $line in
    --device=*) COMPREPLY=($(compgen -W 'gpu cpu reference' -- "$current")) ;;
    --*=SOURCE*) COMPREPLY=($(compgen -W digits -- "$current") $(compgen -f -- "$current")) ;;
    --*=FILE* | --*=FOLDER*) COMPREPLY=($(compgen -f -- "$current")) ;;
    # "--init=NAME initial weights: he, pytorch or zero (default: he)"
    --*=NAME*)
      COMPREPLY=($(compgen -W "$(sed 's/([^)]*)//g; s/.*: //; s/,/ /g; s/ or / /' <<<"$line")" -- "$current")) ;;
  esac
}

_mlp_cl() {
  local program=$1 current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= word
  # --option=value arrives as three words.
  if [[ $current == = ]]; then
    current=
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  local commands=" $(_mlp_cl_commands | tr '\n' ' ')"
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $commands == *" $word "* ]] && command=$word && break
  done
  COMPREPLY=()
  if [[ $before == -d || $before == -- ]]; then before=--device; fi
  if [[ $before == --* && -n $(_mlp_cl_option "$before" | grep -- '^--[a-z-]*=') ]]; then
    _mlp_cl_values "$before"
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$(_mlp_cl_options)" -- "$current"))
  elif [[ -z $command ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
  fi
}
complete -o filenames -F _mlp_cl mlp_cl
