#!/bin/sh
# Each code of the tables of findings has a live test that trips it, with real or raw peers, and one in
# which something alike is harmless and it is not found. A test of tests/live says so by these calls
# (findings_lib.sh and others there):
#
#   tripped    finds CODE ..., finds_saying CODE ..., finds_in_flow CODE ..., found NAME CODE ...
#   harmless   finds_no CODE NAME, nothing_found NAME CODE
#
# Whether they hold is the live tests' to find out: here it is only seen to that none is forgotten.
. "$(dirname "$0")/verdict.sh"
top=$(dirname "$0")/../..

# Codes without such a test, each with the reason:
exempt=''

# codes FILE...: those of the tables there
codes()
{
    sed -n 's/^ *{"\([a-z-]*\)", FINDING_.*/\1/p' "$@" | sort -u
}

# named KIND CODE FOLDER: a live test there says so
named()
{
    local name="(\"[^\"]*\"|'[^']*')"
    case $1 in
    tripped) say="(finds|finds_saying|finds_in_flow) +$2 |found +$name +$2( |\$)" ;;
    harmless) say="finds_no +$2 |nothing_found +$name +$2( |\$)" ;;
    esac
    grep -hEv '^ *#' "$3"/*.sh | grep -Eq "(^|[;&] *| )($say)"
}

# forgotten KIND FOLDER CODE...: those without
forgotten()
{
    local kind=$1 folder=$2 code
    shift 2
    for code; do
        case " $exempt " in *" $code "*) continue ;; esac
        named "$kind" "$code" "$folder" || echo "$code"
    done
}

tmp=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

echo 1..7
all=$(codes "$top"/lib/report/find_*.c "$top"/lib/report/flow_findings.c "$top"/cmd/idle_findings.c)

# The manual has a heading for each code and no other (tests/unit/manual.sh), so that none of the tables
# can be missing here.
headings=$(sed -n 's/^\.It Cm //p' "$top/man/tcpwave-findings.7" | tr -d ' ' | tr , '\n' | grep -- - | sort -u)
verdict 'the tables have all codes of the manual' \
    "$(echo "$headings" | while read -r code; do echo "$all" | grep -qx -- "$code" || echo "$code"; done)"
verdict 'there are more than fifty' "$([ "$(echo "$all" | wc -l)" -gt 50 ] || echo "$all")"

# A code that nothing trips is found, and comments, other codes and negations do not count for it.
cat >"$tmp/one.sh" <<'END'
# finds planted-code info proved "a comment"
finds planted-code-too info proved "another"
finds_no planted-code "$target"
found "$1: a name" second-code info
nothing_found "$1" second-code
END
verdict 'a forgotten trip is noticed' \
    "$([ "$(forgotten tripped "$tmp" planted-code second-code)" = planted-code ] || echo it is not)"
verdict 'a forgotten twin is noticed' \
    "$([ "$(forgotten harmless "$tmp" planted-code planted-code-too second-code)" = planted-code-too ] || echo it is not)"

# shellcheck disable=SC2086 # lists of words
verdict 'each code is tripped by a live test' "$(forgotten tripped "$top/tests/live" $all)"
# shellcheck disable=SC2086
verdict 'each code has a harmless twin in a live test' "$(forgotten harmless "$top/tests/live" $all)"
verdict 'what is exempt is a code' \
    "$(for code in $exempt; do echo "$all" | grep -qx -- "$code" || echo "$code"; done)"
