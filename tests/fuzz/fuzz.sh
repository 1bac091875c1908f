#!/bin/sh
# Builds the fuzz targets with clang's libFuzzer, AddressSanitizer and UBSan, and runs each for
# FUZZ_TIME seconds, one after the other. New inputs go to ./fuzz/corpus, and inputs that break a
# target to ./fuzz/crash, both in the current directory. The corpus in the tree stays as it is.
#
#     fuzz.sh [TARGET...]               all of them by default
#     FUZZ_TIME=1200                    seconds for each
#     FUZZ_COVERAGE=yes                 no fuzzing: shows what the corpora reach of lib/core, with
#                                       llvm-cov
set -u
: "${FUZZ_TIME:=60}" "${FUZZ_CC:=clang}" "${FUZZ_COVERAGE:=no}" "${FUZZ_CFLAGS:=}" "${FUZZ_LIBS:=-lnet -lpcap -lmnl -lcap-ng -lseccomp -ljansson}"
top=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
[ $# -gt 0 ] || set -- packet options engine link track stack buffers tables build filter fragments \
    netlink answers pcapfile cli report impair read
work=$PWD/fuzz
mkdir -p "$work/crash" || exit 1

if [ "$FUZZ_COVERAGE" = yes ]; then
    instrument='-O1 -fprofile-instr-generate -fcoverage-mapping' driver=$top/tests/fuzz/replay.c
else
    instrument='-O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all' driver=
fi
echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n); int LLVMFuzzerTestOneInput(const char *p, unsigned long n) { return p && n == 7 ? 0 : 0; }' >"$work/try.c"
# shellcheck disable=SC2086
$FUZZ_CC -fsanitize=fuzzer -o "$work/try" "$work/try.c" 2>/dev/null || {
    echo "$FUZZ_CC has no libFuzzer: install clang with its runtime, or set FUZZ_CC" >&2
    exit 1
}

# Everything is compiled once, and each target takes of it what it needs.
flags="-std=gnu11 -D_GNU_SOURCE -D_DEFAULT_SOURCE -g $instrument $FUZZ_CFLAGS -I$top"
rm -rf "$work/objects" "$work/all.a"
mkdir "$work/objects" && cd "$work/objects" || exit 1
# An object is named after its whole path: two folders may each have a table.c.
# shellcheck disable=SC2016
find "$top/lib" "$top/cmd" -name '*.c' ! -name main.c -print0 |
    xargs -0 -n 1 -P "$(nproc)" sh -c '$0 -c -o "$(echo "$1" | tr / _).o" "$1"' "$FUZZ_CC $flags" && ar rc "$work/all.a" ./*.o && cd "$work" || exit 1

status=0
for target; do
    name=fuzz_$target
    echo "== $name"
    # shellcheck disable=SC2086
    $FUZZ_CC $flags -o "$work/$name" "$top/tests/fuzz/$name.c" "$top/tests/fuzz/fuzz.c" $driver \
        "$work/all.a" $FUZZ_LIBS || exit 1
    if [ "$FUZZ_COVERAGE" = yes ]; then
        (cd "$top" && srcdir=. LLVM_PROFILE_FILE="$work/$name.raw" "$work/$name" >"$work/$name.log") || status=1
        continue
    fi
    mkdir -p "$work/corpus/$name"
    "$work/$name" -max_total_time="$FUZZ_TIME" -max_len=2048 -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$work/crash/$name-" "$work/corpus/$name" \
        "$top/tests/fuzz/corpus/$name" >"$work/$name.log" 2>&1 || status=1
    grep -a -E 'does not hold|runtime error|^SUMMARY|INITED|DONE' "$work/$name.log"
done
if [ "$FUZZ_COVERAGE" = yes ]; then
    : "${LLVM_PROFDATA:=llvm-profdata}" "${LLVM_COV:=llvm-cov}"
    objects=
    for target; do objects="$objects ${objects:+-object }$work/fuzz_$target"; done
    # shellcheck disable=SC2086
    $LLVM_PROFDATA merge -o "$work/merged" "$work"/fuzz_*.raw &&
        $LLVM_COV report $objects -instr-profile="$work/merged" "$top"/lib/core/*.c || status=1
fi
exit $status
