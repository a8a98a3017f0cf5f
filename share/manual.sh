#!/bin/sh
# The manual pages: manual.sh TEMPLATE MLP_CL FOLDER makes mlp_cl.1 from the template and, for each command, mlp_cl-COMMAND.1 from what
# the command says of itself (--help), so that no page can fall behind.
set -eu
template=$1 mlp_cl=$2 folder=$3
version=$("$mlp_cl" --version | cut -d' ' -f2)

# Help to roff: what the command does, how it is called, a group's title, an option a paragraph; examples stand as they are.
roff() {
  awk -v command="mlp_cl-$1" '
    function escape(text) { gsub(/\\/, "\\e", text); gsub(/-/, "\\-", text); sub(/^[.\047]/, "\\\\\\&&", text); return text }
    NR == 1 { sub(/^[^:]*: /, ""); print ".SH NAME\n" escape(command) " \\- " escape($0); next }
    /^Usage: / { sub(/^Usage: /, ""); print ".SH SYNOPSIS\n" escape($0) "\n.SH OPTIONS"; next }
    /^Examples:/ { print ".SH EXAMPLES\n.nf"; examples = 1; next }
    examples { print escape($0); next }
    /^[A-Z]/ { print ".SS " $0; next }
    !NF { next }
    /^  (-., |    )--/ {
      print ".TP"
      match($0, /--[a-z-]+/); name = substr($0, RSTART, RLENGTH); rest = substr($0, RSTART + RLENGTH)
      short = $1 ~ /^-.,$/ ? "\\fB" escape(substr($1, 1, 2)) "\\fR, " : ""
      value = ""
      if (rest ~ /^=/) { value = rest; sub(/ .*/, "", value); rest = substr(rest, length(value) + 1) }
      if (value) value = "=\\fI" escape(substr(value, 2)) "\\fR"
      print short "\\fB" escape(name) "\\fR" value
      sub(/^ +/, "", rest); if (rest) print escape(rest); next
    }
    { sub(/^ +/, ""); print escape($0) }
    END { if (examples) print ".fi" }'
}

mkdir -p "$folder"
rm -f "$folder"/mlp_cl*.1
"$mlp_cl" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\)  *\(.*\)/\1 \2/p' >"$folder/commands"
while read -r command summary; do
  {
    printf '.TH MLP_CL\\-%s 1 "" "mlp_cl %s" "User commands"\n' "$(printf '%s' "$command" | tr '[:lower:]' '[:upper:]')" "$version"
    "$mlp_cl" "$command" --help | roff "$command"
    printf '.SH SEE ALSO\n.BR mlp_cl (1):\ndevices, exit status, environment, files\n'
  } >"$folder/mlp_cl-$command.1"
  printf '.TP\n.BR mlp_cl\\-%s (1)\n%s\n' "$command" "$summary"
done <"$folder/commands" >"$folder/list"
sed -e "s/@VERSION@/$version/" -e "/@COMMANDS@/{r $folder/list" -e 'd;}' "$template" >"$folder/mlp_cl.1"
rm "$folder/commands" "$folder/list"
