#!/bin/sh
# The manual page: manual.sh TEMPLATE MLP_CL PAGE. Takes the place of @COMMANDS@ and @COMMON@ in the template with what the command says
# of itself (--help), so that the page cannot fall behind.
set -eu
template=$1 mlp_cl=$2 page=$3
common='^(Device|Output)$'

# Help to roff: a group's title, then an option a paragraph; ends before the examples, which stand as they are.
roff() {
  awk -v common="$common" -v wanted="$1" '
    function escape(text) { gsub(/\\/, "\\e", text); gsub(/-/, "\\-", text); sub(/^[.\047]/, "\\\\\\&&", text); return text }
    NR == 1 { if (wanted == "own") { sub(/^[^:]*: /, ""); summary = $0 } next }
    /^Usage: / { if (wanted == "own") { sub(/^Usage: /, ""); print ".SS " escape($0); print escape(summary) "." } next }
    /^Examples:/ { if (wanted != "own") exit; print ".PP\nExamples:\n.PP\n.nf"; examples = 1; next }
    examples { print escape($0); next }
    /^[A-Z]/ { shown = ($0 ~ common) == (wanted == "common"); if (shown && wanted == "own") print ".PP\n.I " $0; next }
    !shown || !NF { next }
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

commands=$("$mlp_cl" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
while IFS= read -r line; do
  case $line in
    @COMMANDS@) for command in $commands; do "$mlp_cl" "$command" --help | roff own; done ;;
    @COMMON@) "$mlp_cl" train --help | roff common ;;
    *) printf '%s\n' "$line" ;;
  esac
done <"$template" | sed "s/@VERSION@/$("$mlp_cl" --version | cut -d' ' -f2)/" >"$page"
