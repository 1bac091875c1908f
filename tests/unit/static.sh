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
CCACHE_DISABLE=1 # ccache keeps nothing of an analysis, and takes as long again
export LC_ALL CCACHE_DISABLE

# What runs beside this waits for the network and has little to compute: it goes first.
renice -n 10 -p $$ >/dev/null 2>&1

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
        [ $status = 0 ] || echo "status $status: $*"
        exit $status' sh "$@"
}

# variableScope: declarations stand at the head of their block.
# unusedStructMember: the layout of a file or of what is hashed has members that nobody reads by name.
# unreadVariable: does not see what is read through a pointer; clang's deadcode.DeadStores does.
# getservbynameCalled and the like: there are no threads; the tests try what is obsolete, too.
# unreachableCode in sandbox.c: takes raise() for a function that never returns.
# uninitvar in test_opt.c: a macro fills it in.
# leakReturnValNotUsed in test_wire_live.c, and what leaks in the tests of the sandbox: is to
# fail, and its process ends otherwise.
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
        '--suppress=leakReturnValNotUsed:*/test_sandbox*.c' '--suppress=resourceLeak:*/test_sandbox*.c' \
        '--suppress=memleakOnRealloc:*/test_sandbox*.c' \
        --template='{file}:{line}:{column}: {severity}: {message} [{id}]' 2>&1
}

# The analyzer looks at 8,000 states of a function instead of 225,000. In most files it comes to as
# many places with those; in the ones that are named here it takes 20,000 or 100,000 for that. (What
# it comes to is told by clang --analyze -Xclang -analyzer-checker=core,debug.Stats, and by a null
# dereference planted before the last return of every function.) With 8,000 it also reports a null
# pointer in port_impair_in.c that cannot be. A large function is followed into from one of its callers
# instead of 32: it is analysed by itself as well, and the states that are saved reach more places.
more_states='cmd/idle_findings.c cmd/idle_report.c cmd/idle_turn.c cmd/send_report.c cmd/simulated.c
lib/core/conn_out.c lib/core/ip_reassembly.c lib/core/track.c lib/io/outbuf.c lib/report/flows.c
lib/report/measure.c lib/report/recent_segments.c lib/report/signs.c lib/run/idle_search.c
lib/run/port_impair_in.c lib/run/port_impair_out.c lib/show/flow_json.c lib/show/json.c
lib/show/pcapng.c lib/show/svg.c lib/sim/link.c lib/sim/spec.c'
many_states='cmd/load_loop.c cmd/send_loop.c cmd/send_match.c lib/core/stack.c'

# named FILE...: their paths
named()
{
    for file; do
        [ -e "$top/$file" ] || echo "$file, named in static.sh, is not there"
        echo "$top/$file"
    done
}

# A process for each file: in one that has several, valist.Uninitialized is wrong from the second on.
# Those that take longest come first.
run_clang_tidy()
{
    cat >"$tmp/files"
    # shellcheck disable=SC2086 # lists of words
    named $more_states >"$tmp/more"
    # shellcheck disable=SC2086
    named $many_states >"$tmp/many"
    cat "$tmp/more" "$tmp/many" >"$tmp/named"
    status=0
    grep -Fxf "$tmp/many" "$tmp/files" | tidy 100000 >"$tmp/tidy" || status=1
    grep -Fxf "$tmp/more" "$tmp/files" | tidy 20000 >>"$tmp/tidy" || status=1
    grep -Fxvf "$tmp/named" "$tmp/files" | tidy 8000 >>"$tmp/tidy" || status=1
    grep -v '\.c$' "$tmp/named" && status=1
    grep -Ev '^[0-9]+ warnings? (and [0-9]+ errors? )?generated\.$' "$tmp/tidy"
    return $status
}

tidy()
{
    # shellcheck disable=SC2086 # lists of words
    each clang-tidy --quiet --config-file="$top/.clang-tidy" '{}' -- -std=gnu11 $STATIC_CPPFLAGS \
        -Wreserved-identifier -Wreserved-macro-identifier \
        -Xclang -analyzer-config -Xclang max-nodes="$1",max-times-inline-large=1
}

# What gcc alone sees begins with an allocation: the use of a result that may be NULL. clang or
# cppcheck sees what else it looks for: freed memory, null pointers, leaks, streams left open, signal
# handlers. It looks into one file at a time, so it analyses the files that allocate, open, free,
# close or handle a signal themselves.
handled='malloc|calloc|realloc|reallocarray|aligned_alloc|alloca|strdup|strndup|free'
handled="$handled|fopen|fdopen|tmpfile|popen|opendir|open_memstream|fclose|signal|sigaction"
handled="(^|[^[:alnum:]_])($handled)[[:space:]]*\\("

# analyzer-shift-count-overflow: takes the count for that of a lane's index where a vector is shifted;
#     the sanitizers watch every shift.
# analyzer-use-of-uninitialized-value: takes a bool in a struct that is returned by value for unset;
#     clang's core.uninitialized, -Wmaybe-uninitialized and valgrind look for the same.
# analyzer-malloc-leak: forgets what is kept in an array inside another allocated struct; clang's
#     unix.Malloc, the leak sanitizer and valgrind look for the same.
run_gcc()
{
    # shellcheck disable=SC2086 # lists of words
    xargs grep -lE "$handled" | each $gcc -std=gnu11 $STATIC_CPPFLAGS -O2 -fanalyzer \
        -Wno-analyzer-shift-count-overflow -Wno-analyzer-use-of-uninitialized-value \
        -Wno-analyzer-malloc-leak -fno-diagnostics-show-caret -fdiagnostics-path-format=none -S -o /dev/null '{}'
}

version()
{
    case $1 in
    cppcheck) cppcheck --version | sed 's/[^0-9]*//' ;;
    clang-tidy) clang-tidy --version | sed -n 's/.*version \([0-9]*\).*/\1/p' ;;
    gcc) $gcc -dumpversion | sed 's/\..*//' ;;
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
    if [ -z "$(version "$tool" 2>/dev/null)" ]; then
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

# gcc analyses, even where another compiler builds the program. CC may be several words: "ccache gcc".
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
