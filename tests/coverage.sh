#!/bin/sh
# What the unit tests and the replayed fuzz corpora reach of lib/core, in lines and branches. Called
# in a configured build directory; a second tree beside it, ./coverage, is configured as that one is,
# but for the compiler's flags, and kept for the next time. The live tests have no part in it.
#     MAKE=make              the make that builds it
#     GCOV=gcov              what reads the compiler's notes: 'llvm-cov gcov' for clang
# Exits non-zero when something could not run, or a test failed; never for a low figure.
set -u
: "${MAKE:=make}" "${GCOV:=gcov}"
source=$(cd "$(dirname "$0")/.." && pwd) || exit 1

die()
{
    echo "coverage: $*" >&2
    exit 1
}

[ -e config.status ] || die "there is no config.status here; run configure first"
command -v gcovr >/dev/null ||
    die "gcovr is missing; install the package gcovr (apt, dnf), or python-gcovr or pipx's gcovr elsewhere"
# shellcheck disable=SC2086 # a command and its argument
command -v ${GCOV%% *} >/dev/null || die "${GCOV%% *} is missing, which comes with the compiler; GCOV names another"
grep -q 'HAVE_CMOCKA_TRUE.*=.*#' config.status &&
    die "configure found no cmocka, and without it no unit test; install it and configure again"

mkdir -p coverage || exit 1
if [ -e "$source/config.status" ]; then
    # Configured in place, a tree cannot be built elsewhere: what a tarball would hold is taken.
    $MAKE -s distdir distdir=coverage/source >/dev/null || die "the sources could not be copied"
    source=$PWD/coverage/source
fi
if [ ! -e coverage/config.status ] || [ -n "$(find config.status -newer coverage/config.status)" ]; then
    echo "coverage: configure in ./coverage, which writes to coverage/configure.log"
    eval "set -- $(./config.status --config)"
    (cd coverage && "$source/configure" "$@" CFLAGS='-O0 -g --coverage' >configure.log 2>&1) ||
        die "configure failed; coverage/configure.log says why"
fi
find coverage -name '*.gcda' -exec rm -f {} +
echo "coverage: make check-unit in ./coverage, which writes to coverage/check.log"
failed=0
$MAKE -C coverage check-unit >coverage/check.log 2>&1 || failed=1
rm -f coverage/a-conftest.gc* # what configure tried the compiler on

# assert() has a side that no run takes: what it guards is an invariant.
# shellcheck disable=SC2086
gcovr --root "$source" --filter "$source/lib/core/" --gcov-executable "$GCOV" \
    --exclude-unreachable-branches --exclude-throw-branches \
    --exclude-branches-by-pattern '.*\bassert\(.*' --json coverage/coverage.json coverage ||
    die "gcovr failed"
for by in '' --branches; do
    gcovr --root "$source" --add-tracefile coverage/coverage.json --txt $by || die "gcovr failed"
done
gcovr --root "$source" --add-tracefile coverage/coverage.json --print-summary --json /dev/null
[ $failed = 0 ] || die "a test failed or could not run, so the figures are not whole; see coverage/check.log"
