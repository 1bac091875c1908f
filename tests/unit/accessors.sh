#!/bin/sh
# Commands and runs ask the engine through the accessors of lib/core/conn.h: outside the engine no file
# includes what its files share, and none reads a field of struct conn. Here the compiler reads a copy of
# that header in which each field is marked as deprecated, and warns wherever one is used.
#
# STATIC_CPPFLAGS is what the preprocessor needs to be told, CC the compiler.
: "${CC:=gcc}"
. "$(dirname "$0")/verdict.sh"
top=$(dirname "$0")/../..
folders='lib/run lib/report lib/show cmd'

tmp=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

echo 1..6
mkdir -p "$tmp/lib/core"
awk '
    /^struct conn \{/ { inside = 1 }
    inside && /^};/ { inside = 0 }
    inside && !/^ *};/ { gsub(/[,;]/, " __attribute__((deprecated))&") }
    { print }' "$top/lib/core/conn.h" >"$tmp/lib/core/conn.h"

# reads FILE...: the places where these use a field
reads()
{
    for file; do
        # shellcheck disable=SC2086 # lists of words
        $CC -std=gnu11 -I "$tmp" $STATIC_CPPFLAGS -fsyntax-only -Wdeprecated-declarations "$file" 2>&1
    done | grep -E -e ' error: ' -e "^($top/(lib/(run|report|show)|cmd)/|$tmp/planted).*deprecated"
}

# Two fields of one line, one in a struct; the accessor on line 7 reads one as well.
cat >"$tmp/planted.c" <<'END'
#include "lib/core/conn.h"
unsigned planted(const struct conn *c);
unsigned planted(const struct conn *c)
{
    return c->rcv_shift
        + c->snd.wnd
        + (unsigned)conn_state(c);
}
END
found=$(reads "$tmp/planted.c" | sed -n "s/.*planted.c:\([0-9]*\):.*/\1/p" | sort -u | tr '\n' ' ')
verdict 'a read of a field is found, and the call of an accessor is none' \
    "$([ "$found" = '5 6 ' ] || echo "lines $found")"

verdict "what the engine's files share is included by them alone" \
    "$(cd "$top" && grep -rn '#include "lib/core/conn_priv.h"' lib cmd | grep -v '^lib/core/')"

for folder in $folders; do
    verdict "$folder reads no field of struct conn" "$(reads "$top/$folder"/*.c)"
done
