#!/bin/sh
# The program is built as configure says: each part of its hardening is to be seen in the file itself.
# HARDENING names the parts that configure found; without it the build is not hardened.
: "${TCPWAVE:=$PWD/tcpwave}"
: "${READELF:=readelf}"
cases=0
LC_ALL=C
export LC_ALL

[ -n "$HARDENING" ] || {
    echo "# the build is not hardened (configure --disable-hardening, or nothing was found)"
    exit 77
}
command -v "$READELF" >/dev/null || {
    echo "# $READELF is not installed"
    exit 77
}

tmp=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
"$READELF" -W -h -l -d -n "$TCPWAVE" >"$tmp/parts" 2>&1
"$READELF" -W --dyn-syms "$TCPWAVE" >"$tmp/symbols" 2>&1

# has PART FILE PATTERN NAME: where configure found PART, a line of FILE matches
has()
{
    cases=$((cases + 1))
    case " $HARDENING " in
    *" $1"[\ =]*) ;;
    *)
        echo "ok $cases - $4 # SKIP configure found no $1, or left it to CFLAGS"
        return
        ;;
    esac
    if grep -Eq -e "$3" "$tmp/$2"; then
        echo "ok $cases - $4"
    else
        echo "not ok $cases - $4"
        echo "# nothing in readelf's output matches '$3'; configure found:$HARDENING"
        echo "# (objects from before the last configure are not rebuilt by themselves: make clean)"
    fi
}

has pie parts '^ *Type: +DYN' "the program can stand at any address"
has relro parts '^ *GNU_RELRO ' "what is relocated is read-only afterwards"
has now parts '\(BIND_NOW\)|\(FLAGS\).* BIND_NOW|\(FLAGS_1\).* NOW' "every symbol is bound at the start"
has noexecstack parts '^ *GNU_STACK .* RW +0x[0-9a-f]+$' "the stack cannot be executed"
has stack-protector symbols ' __stack_chk_fail' "functions guard their return address"
has fortify symbols ' __(v?snprintf|v?fprintf|memcpy|strcpy|fread|read|recv)[a-z]*_chk' \
    "the libc's calls check the size of what they write to"

# The linker marks a program only where the system's start files are marked, too, which not every
# distribution's are: judged is what was compiled here.
case " $HARDENING " in
*" cf-protection "*)
    cases=$((cases + 1))
    if "$READELF" -W -n libcore.a libwire.a libcmd.a 2>/dev/null | awk '
        /^File: / { files++ }
        /x86 feature:.*IBT, SHSTK/ { marked++ }
        END { print marked + 0, "of", files + 0; exit !(files > 0 && marked == files) }' >"$tmp/marked"; then
        echo "ok $cases - jumps and returns are checked in every object"
    else
        echo "not ok $cases - jumps and returns are checked in every object"
        echo "# $(cat "$tmp/marked") objects of the archives have the mark of IBT and SHSTK"
    fi
    ;;
esac
echo "1..$cases"
