# Generates the completions for one shell from the table that `tcpwave --dump-options` prints
# (cmd/help.h):
#
#   tcpwave --dump-options | awk -v shell=bash|zsh|fish -f generate.awk
#
# What is offered after an option depends on the name that help gives its value: words between bars
# are offered themselves, PATH and FILE stand for files, NAME for a network interface, and ADDR for
# an address of this host. For anything else nothing is offered.

BEGIN {
    FS = "\t"
    if (shell != "bash" && shell != "zsh" && shell != "fish") {
        print "generate.awk: -v shell=bash, zsh or fish is wanted" > "/dev/stderr"
        failed = 1
        exit 1
    }
}

NF != 6 {
    print "generate.awk: not a line of tcpwave --dump-options: " $0 > "/dev/stderr"
    failed = 1
    exit 1
}

$2 == "-" && $3 == "-" {
    commands = commands (commands ? " " : "") $1
    command[++last] = $1
    target[last] = $4
    summary[last] = $6
    next
}

{
    n = ++count[last]
    name[last, n] = $2 == "-" ? "" : $2
    letter[last, n] = $3 == "-" ? "" : $3
    value[last, n] = $4 == "-" ? "" : $4
    help[last, n] = $6
}

END {
    if (failed)
        exit 1
    if (!last) {
        print "generate.awk: no table of options came" > "/dev/stderr"
        exit 1
    }
    if (shell == "bash")
        bash()
    else if (shell == "zsh")
        zsh()
    else
        fish()
}

# Returns what is offered for a value: "words", "files", "interfaces", "addresses" or "text".
function kind_of(v)
{
    if (v ~ /\|/)
        return "words"
    if (v == "PATH" || v == "FILE")
        return "files"
    if (v == "NAME")
        return "interfaces"
    return v == "ADDR" ? "addresses" : "text"
}

# Returns the words of "a|b|c", with blanks between them. A word that begins with a capital is a
# placeholder, and is left out.
function words_of(v,    all, part, n, i)
{
    n = split(v, part, "|")
    for (i = 1; i <= n; i++)
        if (part[i] !~ /^[A-Z]/)
            all = all (all ? " " : "") part[i]
    return all
}

# Puts the text in single quotes, in the way that the shell expects.
function quoted(text)
{
    gsub(/'/, shell == "fish" ? "\\'" : "'\\''", text)
    return "'" text "'"
}

function head()
{
    print "# Completion of tcpwave(1) for " shell ", made from the program's own table of options."
    print ""
}

#
# bash: the code needs no library. bash splits words at "=", so they are joined first.
#

function bash_options(c,    all, i)
{
    for (i = 1; i <= count[c]; i++) {
        if (letter[c, i])
            all = all "-" letter[c, i] " "
        if (name[c, i])
            all = all "--" name[c, i] " "
    }
    return all "--help"
}

function bash_values(c,    i, pattern, reply)
{
    for (i = 1; i <= count[c]; i++) {
        if (!value[c, i])
            continue
        pattern = letter[c, i] ? command[c] ":-" letter[c, i] : ""
        if (name[c, i])
            pattern = pattern (pattern ? " | " : "") command[c] ":--" name[c, i]
        reply = kind_of(value[c, i])
        if (reply == "words")
            reply = reply " " words_of(value[c, i])
        print "    " pattern ") echo " quoted(reply) " ;;"
    }
}

function bash(    c)
{
    head()
    print "_tcpwave_options()"
    print "{"
    print "    case $1 in"
    for (c = 1; c <= last; c++)
        print "    " command[c] ") echo " quoted(bash_options(c)) " ;;"
    print "    esac"
    print "}"
    print ""
    print "# What follows an option: nothing if it takes no value."
    print "_tcpwave_value()"
    print "{"
    print "    case $1:$2 in"
    for (c = 1; c <= last; c++)
        bash_values(c)
    print "    esac"
    print "}"
    print ""
    print "_tcpwave_reply_value()"
    print "{"
    print "    case $1 in"
    print "    words\\ *) COMPREPLY=($(compgen -W \"${1#words }\" -- \"$2\")) ;;"
    print "    files) compopt -o filenames; COMPREPLY=($(compgen -f -- \"$2\")) ;;"
    print "    interfaces) COMPREPLY=($(compgen -W \"$(ls /sys/class/net 2>/dev/null)\" -- \"$2\")) ;;"
    print "    addresses)"
    print "        COMPREPLY=($(compgen -W \"$(ip -o addr show 2>/dev/null |"
    print "            awk '{ sub(\"/.*\", \"\", $4); print $4 }')\" -- \"$2\"))"
    print "        ;;"
    print "    *) COMPREPLY=() ;;"
    print "    esac"
    print "}"
    print ""
    print "_tcpwave()"
    print "{"
    print "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}"
    print "    local command=${COMP_WORDS[1]} value"
    print ""
    print "    COMPREPLY=()"
    print "    if [ \"$word\" = = ]; then"
    print "        word="
    print "    elif [ \"$before\" = = ]; then"
    print "        before=${COMP_WORDS[COMP_CWORD - 2]}"
    print "    fi"
    print "    if [ \"$COMP_CWORD\" = 1 ]; then"
    print "        COMPREPLY=($(compgen -W " quoted(commands " help --help --version") " -- \"$word\"))"
    print "        return"
    print "    fi"
    print "    if [ \"$command\" = help ]; then"
    print "        COMPREPLY=($(compgen -W " quoted(commands) " -- \"$word\"))"
    print "        return"
    print "    fi"
    print "    value=$(_tcpwave_value \"$command\" \"$before\")"
    print "    if [ -n \"$value\" ]; then"
    print "        _tcpwave_reply_value \"$value\" \"$word\""
    print "        return"
    print "    fi"
    print "    case $word in"
    print "    -*) COMPREPLY=($(compgen -W \"$(_tcpwave_options \"$command\")\" -- \"$word\")) ;;"
    print "    *)"
    print "        case $command in"
    for (c = 1; c <= last; c++)
        if (target[c] == "FILE")
            print "        " command[c] ") _tcpwave_reply_value files \"$word\" ;;"
    print "        *) [ \"$before\" = : ] || COMPREPLY=($(compgen -A hostname -- \"$word\")) ;;"
    print "        esac"
    print "        ;;"
    print "    esac"
    print "}"
    print ""
    print "complete -F _tcpwave tcpwave"
}

#
# zsh: the code consists of specifications for _arguments.
#

# Escapes a text that stands within [...] or between colons.
function zsh_text(text)
{
    gsub(/\\/, "&&", text)
    gsub(/\[/, "\\[", text)
    gsub(/\]/, "\\]", text)
    gsub(/:/, "\\:", text)
    return text
}

function zsh_value(v,    kind)
{
    kind = kind_of(v)
    return ":" zsh_text(kind == "words" ? "value" : v) ":" \
        (kind == "words" ? "(" words_of(v) ")" : \
         kind == "files" ? "_files" : \
         kind == "interfaces" ? "_net_interfaces" : "")
}

function zsh_option(c, i,    both, rest)
{
    both = letter[c, i] && name[c, i] && value[c, i] ? "(-" letter[c, i] " --" name[c, i] ")" : ""
    if (name[c, i] == "verbose")
        both = "*"
    rest = "[" zsh_text(help[c, i]) "]" (value[c, i] ? zsh_value(value[c, i]) : "")
    if (letter[c, i])
        print "            " quoted(both "-" letter[c, i] (value[c, i] ? "+" : "") rest) " \\"
    if (name[c, i])
        print "            " quoted(both "--" name[c, i] (value[c, i] ? "=" : "") rest) " \\"
}

function zsh(    c, i)
{
    print "#compdef tcpwave"
    head()
    print "_tcpwave_commands()"
    print "{"
    print "    local -a commands=("
    for (c = 1; c <= last; c++)
        print "        " quoted(command[c] ":" zsh_text(summary[c]))
    print "    )"
    print "    _describe command commands \"$@\""
    print "}"
    print ""
    print "_tcpwave()"
    print "{"
    print "    if (( CURRENT == 2 )); then"
    print "        _tcpwave_commands"
    print "        compadd -- help --help --version"
    print "        return"
    print "    fi"
    print "    local command=$words[2]"
    print "    shift words"
    print "    (( CURRENT-- ))"
    print "    case $command in"
    print "    help) _tcpwave_commands ;;"
    for (c = 1; c <= last; c++) {
        print "    " command[c] ")"
        print "        _arguments -s \\"
        for (i = 1; i <= count[c]; i++)
            zsh_option(c, i)
        print "            '--help[its options]' \\"
        print "            " quoted(":" zsh_text(target[c]) ":" (target[c] ~ /^HOST/ ? "_hosts" : \
            target[c] == "FILE" ? "_files" : ""))
        print "        ;;"
    }
    print "    esac"
    print "}"
    print ""
    print "_tcpwave \"$@\""
}

#
# fish
#

function fish_values(v,    kind)
{
    kind = kind_of(v)
    if (kind == "files")
        return " -r -F"
    if (kind == "interfaces")
        return " -x -a '(__fish_print_interfaces)'"
    return " -x" (kind == "words" ? " -a " quoted(words_of(v)) : "")
}

function fish_text(text)
{
    gsub(/\\/, "&&", text)
    return quoted(text)
}

function fish(    c, i)
{
    head()
    print "complete -c tcpwave -f"
    print "complete -c tcpwave -n __fish_use_subcommand -l help -d 'the commands'"
    print "complete -c tcpwave -n __fish_use_subcommand -l version -d 'versions of tcpwave and of its libraries'"
    print "complete -c tcpwave -n __fish_use_subcommand -a help -d 'the manual of a command'"
    print "complete -c tcpwave -n '__fish_seen_subcommand_from help' -a " quoted(commands)
    for (c = 1; c <= last; c++) {
        print ""
        print "complete -c tcpwave -n __fish_use_subcommand -a " command[c] " -d " fish_text(summary[c])
        print "set -l " command[c] " '__fish_seen_subcommand_from " command[c] "'"
        for (i = 1; i <= count[c]; i++)
            print "complete -c tcpwave -n $" command[c] (letter[c, i] ? " -s " letter[c, i] : "") \
                (name[c, i] ? " -l " name[c, i] : "") \
                (value[c, i] ? fish_values(value[c, i]) : "") " -d " fish_text(help[c, i])
        print "complete -c tcpwave -n $" command[c] " -l help -d 'its options'"
        if (target[c] ~ /^HOST/)
            print "complete -c tcpwave -n $" command[c] " -a '(__fish_print_hostnames)'"
        else if (target[c] == "FILE")
            print "complete -c tcpwave -n $" command[c] " -F"
    }
}
