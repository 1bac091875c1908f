#!/bin/sh
# The core is pure: it asks nothing of the system. What its archive leaves undefined is held
# against the short list of what it may use: memory and string functions that only compute,
# the allocator, and what compilers and sanitizers put in by themselves.
: "${NM:=nm}"
archive=${1:-libcore.a}

echo 1..2
names=$("$NM" -A "$archive" 2>/dev/null | awk '
    { name = $NF; type = $(NF - 1) }
    type ~ /^[A-TV-Z]$/ { defined[name] = 1; next }
    type == "U" { wanted[name] = 1 }
    END { for (n in wanted) if (!(n in defined)) print "undefined " n; for (n in defined) print n }')

if [ -z "$names" ]; then
    echo "not ok 1 - $archive defines something"
    echo "# $NM finds no symbols in $archive"
else
    echo "ok 1 - $archive defines something"
fi

foreign=$(printf '%s\n' "$names" | sed -n 's/^undefined //p' | sort | grep -Ev -e '^_?(mem|str)[a-z]+$' -e '^bcmp$' \
    -e '^(malloc|calloc|realloc|free)$' -e '^__(mem|str)[a-z]+_chk$' \
    -e '^(__)?v?snprintf(_chk)?$' -e '^__assert_fail$' -e '^__stack_chk_(fail|guard)$' \
    -e '^__(asan|ubsan|sanitizer|lsan|tsan|msan|sancov|gcov|llvm)_' -e '^_GLOBAL_OFFSET_TABLE_$')
if [ -n "$foreign" ]; then
    echo "not ok 2 - $archive asks nothing of the system"
    printf '%s\n' "$foreign" | while read -r name; do
        echo "# $name, wanted by: $("$NM" -A -u "$archive" | sed -n "s/^\([^ ]*\): *U $name\$/\1/p" | tr '\n' ' ')"
    done
    exit 1
fi
echo "ok 2 - $archive asks nothing of the system"
