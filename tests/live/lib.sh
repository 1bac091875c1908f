# Functions that all live tests share. A test sources this file first:
#
#   . "$(dirname "$0")/lib.sh"
#   netns_enter "$@" && netns_up || exit 1       see netns.sh
#   ...
#   done_testing
#
# Cases are counted in TAP:
#
#   pass NAME, fail NAME             report a case that the test judged itself
#   check NAME CMD...                passes if CMD succeeds
#   skip NAME REASON                 skips a case
#   note TEXT...                     prints a comment
#   need TOOL...                     skips the whole test where a tool is missing
#
# Findings of --json that are more than information fail the test, unless $findings names their codes.
# A test sets it where it provokes one, for some runs or for all:
#
#   findings='timestamps-missing bad-checksum'
#
# All lines of --json are held against the schema in the end; with $json_for they are given to that
# file instead, for a test that is several processes.
#
# For the program under test:
#
#   try CMD...                       runs it; leaves $status, $tmp/out and $tmp/err
#   expect_status N NAME CMD...      one case: CMD, run by try, ends with status N
#   expect_line FILE PATTERN NAME    one case: a line of $tmp/FILE matches the extended pattern
#   json_get EVENT PATH [FILE]       prints the value at a path such as peer.state of the last such
#                                    event in $tmp/out (or FILE); nothing where there is none. Within a
#                                    list, NAME=TEXT is its first object with this text, as in
#                                    findings.code=loss.severity
#   expect_json EVENT PATH VALUE NAME   one case: that value is VALUE
#
#   background OUT ERR CMD...        runs it in the background, with its output in these files; it is
#                                    process $run. A shell without job control has such jobs ignore
#                                    SIGINT, and this one does not.
#
# A tcpwave that listens:
#
#   listen_start CMD...     CMD in the background; it writes to $tmp/heard and $tmp/heard.err, and is
#                           process $ear
#   listen_begin CMD...     the same of one that is given --json, until it says that it listens
#   listen_end [SIGNAL]     its end, by itself or by that signal, as try() leaves it
#   serves_callers ...      see there
#
# A path:
#
#   lose RUNNER DEVICE PORT   from now on one packet in ten from or to that port, or a range of them, is
#                             lost on arrival there; RUNNER is peer, or env for this side
#   lose_nothing RUNNER       no longer
#
# TCPWAVE names the program, JSON_GET the one of json_get.c and JSON_SCHEMA that of json_schema.c; without
# these two Python does the same.

. "$(dirname "$0")/netns.sh"

: "${TCPWAVE:=$PWD/tcpwave}"
cases=0
: "${findings=}"

pass()
{
    cases=$((cases + 1))
    printf 'ok %d - %s\n' "$cases" "$*"
}

fail()
{
    cases=$((cases + 1))
    printf 'not ok %d - %s\n' "$cases" "$*"
}

skip()
{
    cases=$((cases + 1))
    printf 'ok %d - %s # SKIP %s\n' "$cases" "$1" "$2"
}

note()
{
    printf '%s\n' "$*" | sed 's/^/# /'
}

check()
{
    local name=$1
    shift
    if "$@"; then
        pass "$name"
    else
        fail "$name"
        note "failed: $*"
    fi
}

need()
{
    local tool
    for tool; do
        command -v "$tool" >/dev/null || {
            echo "# $tool is not installed"
            exit 77
        }
    done
}

# Findings of the run that try() saw, beside those that $findings names, are kept for check_json().
note_alarms()
{
    local code
    grep -E '^\{"event":"finding".*"severity":"(warning|problem)"' "$tmp/out" >"$tmp/found" || return 0
    sed 's/.*"code":"\([^"]*\)".*/\1/' "$tmp/found" | sort -u | while read -r code; do
        case " $findings " in
        *" $code "*) ;;
        *) printf '%s: %s\n' "$code" "$*" ;;
        esac
    done >>"$tmp/alarms"
}

# Every line of --json that try() saw is what the schema says, and no finding was unexpected.
check_json()
{
    [ -s "$tmp/json" ] || return 0
    if [ -n "${json_for:-}" ]; then
        cp "$tmp/json" "$json_for"
    else
        check_schema
    fi
    check "no finding warns where nothing is wrong" sh -c "[ ! -s '$tmp/alarms' ]"
    [ ! -s "$tmp/alarms" ] || note "$(cat "$tmp/alarms")"
}

check_schema()
{
    local here
    here=$(dirname "$0")
    set -- "$here/../../man/tcpwave.schema.json" "$tmp/json"
    if [ -x "${JSON_SCHEMA:-}" ]; then
        "$JSON_SCHEMA" "$@" >"$tmp/schema" 2>&1
    else
        "${python:-python3}" "$here/schema.py" "$@" >"$tmp/schema" 2>&1
    fi
    case $? in
    0) pass "$(wc -l <"$tmp/json") lines of --json are as the schema has them" ;;
    77) skip "--json is as the schema has it" "$(cat "$tmp/schema")" ;;
    *)
        fail "--json is as the schema has it"
        note "$(cat "$tmp/schema")"
        ;;
    esac
}

# A plan that comes last, so that a test which ends before this line is an error.
done_testing()
{
    check_json
    echo "1..$cases"
    exit 0
}

# A tool that hangs fails its case and not the whole suite: 124 is timeout's.
try()
{
    timeout -k 5 60 "$@" >"$tmp/out" 2>"$tmp/err" </dev/null 9>&-
    status=$?
    case " $* " in
    *" -o - "* | *" --output=- "* | *" --pcap - "*) ;; # standard output is something else then
    *" --json "*)
        cat "$tmp/out" >>"$tmp/json" # see check_json()
        note_alarms "$@"
        ;;
    esac
}

show_try()
{
    head -n 5 "$tmp/err" | sed 's/^/# stderr: /'
    tail -n 5 "$tmp/out" | sed 's/^/# stdout: /'
}

expect_status()
{
    local wanted=$1 name=$2
    shift 2
    try "$@"
    if [ "$status" = "$wanted" ]; then
        pass "$name"
    else
        fail "$name"
        note "$* ended with $status, not $wanted"
        show_try
        return 1
    fi
}

expect_line()
{
    if grep -Eq -e "$2" "$tmp/$1"; then
        pass "$3"
    else
        fail "$3"
        note "no line of $1 matches $2:"
        head -n 20 "$tmp/$1" | sed 's/^/# /'
    fi
}

json_get()
{
    if [ -x "${JSON_GET:-}" ]; then
        "$JSON_GET" "$1" "$2" "${3:-$tmp/out}"
        return
    fi
    python3 -I -S - "$1" "$2" "${3:-$tmp/out}" <<'EOF'
import json, sys
event, path, name = sys.argv[1:]
found = None
for line in open(name, encoding="utf-8"):
    value = json.loads(line)
    if value["event"] == event:
        found = value
for key in path.split("."):
    name, _, text = key.partition("=")
    if isinstance(found, list) and text:
        found = next((item for item in found if item.get(name) == text), None)
    else:
        found = found.get(key) if isinstance(found, dict) else None
if found is not None:
    print(found if isinstance(found, str) else json.dumps(found))
EOF
}

expect_json()
{
    local value
    value=$(json_get "$1" "$2" 2>&1)
    if [ "$value" = "$3" ]; then
        pass "$4"
    else
        fail "$4"
        note "$1: $2 is '$value', not '$3'"
        show_try
    fi
}

background()
{
    local out=$1 err=$2
    shift 2
    env --default-signal=INT "$@" >"$out" 2>"$err" </dev/null 9>&- &
    run=$!
    pids="$pids $run"
}

listen_start()
{
    local run
    : >"$tmp/heard"
    background "$tmp/heard" "$tmp/heard.err" "$@"
    ear=$run
}

# listens: it says so, in JSON or in its drawing, and takes what comes from now on
listens()
{
    poll grep -q 'listening on ' "$tmp/heard"
}

listen_begin()
{
    listen_start "$@"
    poll grep -q '"text":"listening on ' "$tmp/heard"
}

listen_end()
{
    [ -z "${1:-}" ] || kill -s "$1" $ear
    wait $ear
    status=$?
    cp "$tmp/heard" "$tmp/out"
    cp "$tmp/heard.err" "$tmp/err"
    case $(head -c 1 "$tmp/out") in
    '{')
        cat "$tmp/out" >>"$tmp/json" # as in try()
        note_alarms listen
        ;;
    esac
}

# serves_callers NAME ADDRESS N ARGUMENT...: listen on port 9001 serves N clients of the peer's kernel,
# who call ADDRESS; $here is the folder of kernel_client.py
serves_callers()
{
    local name=$1 address=$2 callers=$3
    shift 3
    listen_start "$TCPWAVE" listen "$@" --echo --connections $callers
    case " $* " in
    *' -q '*) poll listening 9001 env ;; # its guard is a listening socket
    *) listens ;;
    esac
    peer python3 "$here/kernel_client.py" "$address" 9001 echo $callers 100000 >"$tmp/said" 2>&1
    listen_end
    check "$name: status 0" test $status = 0
    check "$name: the clients are served" grep -qx "$callers of $callers came back" "$tmp/said"
    [ $status = 0 ] || show_try
}

lose()
{
    "$1" nft -f - <<EOF
table netdev loss {
    chain in {
        type filter hook ingress device "$2" priority 0;
        tcp dport $3 numgen random mod 100 < 10 drop
        tcp sport $3 numgen random mod 100 < 10 drop
    }
}
EOF
}

lose_nothing()
{
    "$1" nft delete table netdev loss
}
