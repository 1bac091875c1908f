#!/bin/sh
# The completions: made from the program's table as it is now, they load in each shell that is here,
# and offer each command, each of its options, and the words of those that have words.
: "${TCPWAVE:=$PWD/tcpwave}"
here=$(cd "$(dirname "$0")" && pwd)
sources=$(cd "$here/../.." && pwd)
cases=0
tmp=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

result()
{
    cases=$((cases + 1))
    if [ "$1" = 0 ]; then
        echo "ok $cases - $2"
    else
        echo "not ok $cases - $2"
    fi
}

skip()
{
    cases=$((cases + 1))
    echo "ok $cases - $1 # SKIP $2"
}

table()
{
    "$TCPWAVE" --dump-options
}

commands=$(table | awk -F '\t' '$2 == "-" && $3 == "-" { print $1 }')

# What the table says of a command, one option a line, as a person types it.
options()
{
    table | awk -F '\t' -v command="$1" '
        $1 == command && $3 != "-" { print "-" $3 }
        $1 == command && $2 != "-" { print "--" $2 }
        END { print "--help" }' | sort
}

# The built file, or the tarball's.
completion()
{
    if [ -e "cmd/completions/$1" ]; then
        echo "$PWD/cmd/completions/$1"
    else
        echo "$sources/cmd/completions/$1"
    fi
}

# For each shell: offered LINE prints what it offers there, one a line.

bash_offered()
{
    bash -c '
        . "$1"
        line=$2
        read -r -a COMP_WORDS <<<"${line//=/ = }"
        case $line in *" ") COMP_WORDS+=("") ;; esac
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        compopt() { :; } # which only works while readline completes
        _tcpwave
        printf "%s\n" "${COMPREPLY[@]}"' bash "$(completion tcpwave)" "$1"
}

fish_offered()
{
    XDG_CONFIG_HOME=$tmp XDG_DATA_HOME=$tmp fish --no-config -c '
        source $argv[1]
        complete -C "$argv[2]"' "$(completion tcpwave.fish)" "$1" | cut -f 1
}

# An interactive zsh on a terminal of its own, where a key lists the matches and says when it has. Keys
# are sent only when the line editor is up: before, the terminal would take them for its own.
zsh_offered()
{
    zsh -f -c '
        zmodload zsh/zpty
        zpty shell TERM=dumb zsh -f -i
        zpty -w shell "PS1= PS2=; stty cols 300 rows 300 -echo; LISTMAX=9999"
        zpty -w shell "fpath=(${(q)1} \$fpath); autoload -U compinit; compinit -u -D"
        zpty -w shell "zstyle \":completion:*\" verbose no"
        zpty -w shell "list() { zle list-choices; zle -R; print LIST\"ED\" }; zle -N list; bindkey \"^T\" list"
        zpty -w shell "zle-line-init() { print REA\"DY\" }; zle -N zle-line-init"
        until [[ $line = *READY* ]]; do zpty -r shell line || exit 1; done
        zpty -w -n shell "$2"$'"'\\x14'"'
        until [[ $line = *LISTED* ]]; do zpty -r shell line || exit 1; print -r -- "$line"; done
        zpty -d shell' zsh "$(dirname "$(completion _tcpwave)")" "$1" | zsh_words "$1"
}

# Without what the terminal was told, the line that was typed, and the last word.
zsh_words()
{
    sed 's/\x1b\[[0-9;?]*[A-Za-z]//g; s/\r//g' | awk -v typed="$1" '
        { at = index($0, typed); if (at) $0 = substr($0, at + length(typed)) }
        { for (i = 1; i <= NF; i++) if ($i != "--" && $i !~ /LISTED/) print $i }'
}

# expect NAME WANTED-FILE: `offered` of the shell says just that.
expect()
{
    sort -u "$tmp/offered" >"$tmp/have"
    sort -u "$2" >"$tmp/want"
    if cmp -s "$tmp/have" "$tmp/want"; then
        result 0 "$1"
    else
        result 1 "$1"
        diff "$tmp/want" "$tmp/have" | sed 's/^/# /'
    fi
}

# offers SHELL: commands, options, words.
offers()
{
    shell=$1
    "$shell"_offered "tcpwave " | grep -v '^-' | grep -vxF help >"$tmp/offered"
    echo "$commands" | tr ' ' '\n' >"$tmp/wanted"
    expect "$shell offers the commands" "$tmp/wanted"
    for command in $commands; do
        "$shell"_offered "tcpwave $command -" >"$tmp/dash"
        "$shell"_offered "tcpwave $command --" | cat - "$tmp/dash" | grep '^-' >"$tmp/offered"
        options "$command" >"$tmp/wanted"
        expect "$shell offers the options of $command" "$tmp/wanted"
    done
    "$shell"_offered "tcpwave connect --close=" | sed 's/^--close=//' >"$tmp/offered"
    printf '%s\n' active passive abort vanish >"$tmp/wanted"
    expect "$shell offers the words of --close=" "$tmp/wanted"
    "$shell"_offered "tcpwave connect --close " >"$tmp/offered"
    expect "$shell offers the words of --close" "$tmp/wanted"
}

for shell in bash zsh fish; do
    case $shell in
    bash) file=tcpwave ;;
    zsh) file=_tcpwave ;;
    fish) file=tcpwave.fish ;;
    esac
    table | "${AWK:-awk}" -v shell=$shell -f "$sources/cmd/completions/generate.awk" |
        cmp -s - "$(completion $file)"
    result $? "the completion for $shell is what the table of options makes"
    if command -v $shell >/dev/null; then
        offers $shell
    else
        skip "$shell offers all of it" "$shell is not installed"
    fi
done
echo "1..$cases"
