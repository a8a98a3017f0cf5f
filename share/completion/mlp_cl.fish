# fish completion for mlp_cl. It asks the command for its own help, and so knows the commands and options of that version.
function __mlp_cl_commands
    mlp_cl --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\)  *\(.*\)/\1\t\2/p'
end

function __mlp_cl_command
    set -l names (__mlp_cl_commands | string replace -r '\t.*' '')
    for word in (commandline -opc)[2..-1]
        contains -- $word $names; and echo $word; and return
    end
    false
end

# Without a command its options are those of train. One line an option: "--init=NAME initial weights: he, pytorch or zero (default: he)".
function __mlp_cl_lines
    set -l command (__mlp_cl_command); or set command train
    mlp_cl $command --help 2>/dev/null | sed 's/^  -., /      /' | awk '
        /^      --/ || !NF { if (line) print line; line = "" }
        /^      --/ || line { $1 = $1; line = line (line ? " " : "") $0 } END { if (line) print line }'
end

function __mlp_cl_options
    __mlp_cl_lines | string replace -r '^(--[a-z-]+)(=\S+)? (.*)' '$1\t$3'
end

# The line of the option whose value is being typed; fails where none is.
function __mlp_cl_line
    set -l option (commandline -opc)[-1]
    set -l current (commandline -ct)
    string match -qr '^--[a-z-]+=' -- $current; and set option (string replace -r '=.*' '' -- $current)
    test "$option" = -d; and set option --device
    __mlp_cl_lines | string match -r -- "^$option=.*"
end

function __mlp_cl_values
    set -l line (__mlp_cl_line)
    set -l values
    switch $line
        case '--device=*'
            set values gpu cpu reference
        case '--*=SOURCE*'
            set values digits (__fish_complete_path | string replace -r '\t.*' '')
        case '--*=FILE*' '--*=FOLDER*'
            set values (__fish_complete_path | string replace -r '\t.*' '')
        case '--*=NAME*'
            set values (string replace -ra '\([^)]*\)' '' -- $line | string replace -r '.*: ' '' |
                string replace -a , ' ' | string replace ' or ' ' ' | string split -n ' ')
    end
    set -l typed (string match -r '^--[a-z-]+=' -- (commandline -ct))
    test -n "$values"; and printf '%s\n' "$typed"$values
end

complete -c mlp_cl -f
complete -c mlp_cl -n '__mlp_cl_line >/dev/null' -a '(__mlp_cl_values)'
complete -c mlp_cl -n 'not __mlp_cl_line >/dev/null; and string match -q -- "-*" (commandline -ct)' -a '(__mlp_cl_options)'
complete -c mlp_cl -n 'not __mlp_cl_line >/dev/null; and test -z "$(__mlp_cl_command)"' -a '(__mlp_cl_commands)'
complete -c mlp_cl -n 'not __mlp_cl_line >/dev/null; and test -n "$(__mlp_cl_command)"' -F
