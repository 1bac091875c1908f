#!/bin/sh
# Static analysis: cppcheck over all of the C, clang-tidy (.clang-tidy says what it looks for) and
# gcc's -fanalyzer over cmd and lib. A finding is a failure; what is correct and looks wrong is
# suppressed at its line, with the reason. Each tool has to find a planted defect first.
#
# Another version of a tool than the one that is named here has other checks and other false alarms.
# What such a one finds is shown, and is no failure.
#
#     static.sh [cppcheck|clang-tidy|gcc]...
#
# STATIC_CPPFLAGS is what the preprocessor needs to be told, CC the compiler.
: "${CC:=gcc}"
top=$(dirname "$0")/../..
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
cases=0
LC_ALL=C
export LC_ALL

tmp=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

cat >"$tmp/planted.c" <<'END'
#include <stdlib.h>
void planted(char *p);
void planted(char *p)
{
    free(p);
    free(p);
}
END

# What cppcheck, which reads no standard header, has to know of them.
cat >"$tmp/known.h" <<'END'
#define PRIu64 "lu"
#define LIST_HEAD(name, type) struct name { struct type *lh_first; }
#define LIST_ENTRY(type) struct { struct type *le_next, **le_prev; }
#define LIST_FIRST(head) ((head)->lh_first)
#define LIST_NEXT(p, field) ((p)->field.le_next)
#define LIST_FOREACH(p, head, field) for ((p) = (head)->lh_first; (p); (p) = (p)->field.le_next)
#define STAILQ_HEAD(name, type) struct name { struct type *stqh_first, **stqh_last; }
#define STAILQ_ENTRY(type) struct { struct type *stqe_next; }
#define TAILQ_FOREACH(p, head, field) for ((p) = (head)->tqh_first; (p); (p) = (p)->field.tqe_next)
END

# each COMMAND...: COMMAND with each file that standard input names, as many at once as there are
# cores; what each wrote stays together
each()
{
    # shellcheck disable=SC2016 # expanded by the shell that is started
    xargs -P "$jobs" -I '{}' sh -c '
        out=$("$@" 2>&1)
        status=$?
        [ -z "$out" ] || printf "%s\n" "$out"
        exit $status' sh "$@"
}

# variableScope: declarations stand at the head of their block.
# unusedStructMember: the layout of a file or of what is hashed has members that nobody reads by name.
# unreadVariable: does not see what is read through a pointer; clang's deadcode.DeadStores does.
# getservbynameCalled and the like: there are no threads; the tests try what is obsolete, too.
# unreachableCode in sandbox.c: takes raise() for a function that never returns.
# uninitvar in test_opt.c: a macro fills it in.
# leakReturnValNotUsed in test_wire_live.c, and what leaks in test_sandbox.c: is to fail, and its
# process ends otherwise.
run_cppcheck()
{
    xargs cppcheck -q -j "$jobs" --enable=warning,style,performance,portability --std=c11 \
        --library=posix --library=gnu --inline-suppr -I "$top" -D_GNU_SOURCE \
        --include="$tmp/known.h" \
        --suppress=variableScope --suppress=unusedStructMember --suppress=unreadVariable \
        --suppress=getservbynameCalled --suppress=getpwuidCalled \
        --suppress=gethostbynameCalled --suppress=usleepCalled --suppress=readdirCalled \
        --suppress=vforkCalled '--suppress=unreachableCode:*/sandbox.c' \
        '--suppress=uninitvar:*/test_opt.c' '--suppress=leakReturnValNotUsed:*/test_wire_live.c' \
        '--suppress=leakReturnValNotUsed:*/test_sandbox.c' '--suppress=resourceLeak:*/test_sandbox.c' \
        '--suppress=memleakOnRealloc:*/test_sandbox.c' \
        --template='{file}:{line}:{column}: {severity}: {message} [{id}]' 2>&1
}

# The analyzer looks at 20,000 states of a function instead of 225,000: a third of the time, and it
# comes to as many places. (What it comes to is told by clang --analyze -Xclang
# -analyzer-checker=core,debug.Stats; of 70 defects planted at random it finds the same 36.) In these
# files it takes 100,000 for that.
many_states='cmd/listen.c cmd/load_loop.c cmd/send_match.c cmd/target.c lib/core/ip.c lib/core/stack.c
lib/run/loop.c lib/run/port_sim.c'

# A process for each file: in one that has several, valist.Uninitialized is wrong from the second on.
run_clang_tidy()
{
    cat >"$tmp/files"
    for file in $many_states; do
        [ -e "$top/$file" ] || echo "$file, named in static.sh, is not there"
        echo "$top/$file"
    done >"$tmp/many"
    status=0
    grep -Fxf "$tmp/many" "$tmp/files" | tidy 100000 >"$tmp/tidy" || status=1
    grep -Fxvf "$tmp/many" "$tmp/files" | tidy 20000 >>"$tmp/tidy" || status=1
    grep -v '\.c$' "$tmp/many" && status=1
    grep -Ev '^[0-9]+ warnings? (and [0-9]+ errors? )?generated\.$' "$tmp/tidy"
    return $status
}

tidy()
{
    # shellcheck disable=SC2086 # lists of words
    each clang-tidy --quiet --config-file="$top/.clang-tidy" '{}' -- -std=gnu11 $STATIC_CPPFLAGS \
        -Xclang -analyzer-config -Xclang max-nodes="$1"
}

# analyzer-shift-count-overflow: takes the count for that of a lane's index where a vector is shifted;
#     the sanitizers watch every shift.
# analyzer-use-of-uninitialized-value: takes a bool in a struct that is returned by value for unset;
#     clang's core.uninitialized, -Wmaybe-uninitialized and valgrind look for the same.
# analyzer-malloc-leak: forgets what is kept in an array inside another allocated struct; clang's
#     unix.Malloc, the leak sanitizer and valgrind look for the same.
run_gcc()
{
    # shellcheck disable=SC2086 # lists of words
    each "$gcc" -std=gnu11 $STATIC_CPPFLAGS -O2 -fanalyzer -Wno-analyzer-shift-count-overflow \
        -Wno-analyzer-use-of-uninitialized-value -Wno-analyzer-malloc-leak -fno-diagnostics-show-caret \
        -fdiagnostics-path-format=none -S -o /dev/null '{}'
}

version()
{
    case $1 in
    cppcheck) cppcheck --version | sed 's/[^0-9]*//' ;;
    clang-tidy) clang-tidy --version | sed -n 's/.*version \([0-9]*\).*/\1/p' ;;
    gcc) "$gcc" -dumpversion | sed 's/\..*//' ;;
    esac
}

files()
{
    for place; do
        find "$top/$place" -name '*.c'
    done | sort
}

# analyse TOOL VERSION FUNCTION DIRECTORY...
analyse()
{
    tool=$1 held=$2 run=$3
    shift 3
    if ! command -v "$([ "$tool" = gcc ] && echo "$gcc" || echo "$tool")" >/dev/null; then
        cases=$((cases + 1))
        echo "ok $cases - $tool # SKIP it is not installed"
        return
    fi
    found=$(version "$tool")
    cases=$((cases + 1))
    if echo "$tmp/planted.c" | $run 2>/dev/null | grep -Eq 'planted\.c:6:.*(warning|error):.*free'; then
        echo "ok $cases - $tool finds a planted defect"
    else
        echo "not ok $cases - $tool finds a planted defect"
    fi
    cases=$((cases + 1))
    if files "$@" | $run >"$tmp/findings" && [ ! -s "$tmp/findings" ]; then
        echo "ok $cases - $tool finds nothing in $*"
        return
    fi
    head -n 100 "$tmp/findings" | sed 's/^/# /'
    if [ "$found" = "$held" ]; then
        echo "not ok $cases - $tool finds nothing in $*"
    else
        echo "ok $cases - $tool finds nothing in $* # SKIP version $found is not $held, with which this is clean: see what it found above"
    fi
}

# gcc analyses whatever else compiles.
gcc=$CC
if echo | $CC -E -dM -x c - 2>/dev/null | grep -Eq '__clang__' || ! $CC -fanalyzer -E -x c /dev/null >/dev/null 2>&1; then
    gcc=gcc
fi
[ $# != 0 ] || set -- cppcheck clang-tidy gcc
for tool; do
    case $tool in
    cppcheck) analyse cppcheck 2.10 run_cppcheck cmd lib tests ;;
    clang-tidy) analyse clang-tidy 14 run_clang_tidy cmd lib ;;
    gcc) analyse gcc 12 run_gcc cmd lib ;;
    esac
done
echo "1..$cases"
