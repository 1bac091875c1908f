#!/bin/sh
# The core and the report are pure: they ask nothing of the system. What their archives leave
# undefined is held against the short list of what they may use: functions that only compute, the
# allocator, and what compilers and sanitizers put in by themselves.
: "${NM:=nm}"

echo 1..4
number=0

# check ARCHIVE [ARCHIVE-BELOW]: what the first wants and neither defines.
check()
{
    archive=$1
    names=$("$NM" -A "$@" 2>/dev/null | awk -v archive="$archive" '
        NF < 2 { next }
        { name = $NF; type = $(NF - 1) }
        type ~ /^[A-TV-Z]$/ { defined[name] = 1; own += index($0, archive) == 1; next }
        type == "U" && index($0, archive) == 1 { wanted[name] = 1 }
        END { for (n in wanted) if (!(n in defined)) print "undefined " n; if (own) print "own" }')
    number=$((number + 1))
    if printf '%s\n' "$names" | grep -qx own; then
        echo "ok $number - $archive defines something"
    else
        echo "not ok $number - $archive defines something"
        echo "# $NM finds no symbols in $archive"
    fi
    foreign=$(printf '%s\n' "$names" | sed -n 's/^undefined //p' | sort | grep -Ev \
        -e '^_?(mem|str)[a-z]+$' -e '^bcmp$' -e '^inet_ntop$' -e '^(__)?v?snprintf(_chk)?$' \
        -e '^(malloc|calloc|realloc|free)$' -e '^__(mem|str)[a-z]+_chk$' -e '^__u?(div|mod)[a-z]+[0-9]$' \
        -e '^__assert_fail$' -e '^__stack_chk_(fail|guard)$' \
        -e '^__(asan|ubsan|sanitizer|lsan|tsan|msan|sancov|gcov|llvm)_' -e '^_GLOBAL_OFFSET_TABLE_$')
    number=$((number + 1))
    if [ -z "$foreign" ]; then
        echo "ok $number - $archive asks nothing of the system"
        return
    fi
    echo "not ok $number - $archive asks nothing of the system"
    printf '%s\n' "$foreign" | while read -r name; do
        echo "# $name, wanted by: $("$NM" -A -u "$archive" | sed -n "s/^\([^ ]*\): *U $name\$/\1/p" | tr '\n' ' ')"
    done
}

check libcore.a
check libreport.a libcore.a
