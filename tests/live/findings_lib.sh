# What the live tests of findings share. Sourced after lib.sh. What these look at is in the last run's
# --json.

# finds CODE SEVERITY CERTAINTY NAME: one case: the verdict has that finding, and its event came before.
finds()
{
    check "$4: $1, $2, $3" sh -c "grep -q '\"event\":\"verdict\".*\"code\":\"$1\",\"severity\":\"$2\",\"certainty\":\"$3\"' '$tmp/out' &&
        grep -q '^{\"event\":\"finding\".*\"code\":\"$1\"' '$tmp/out'"
    grep -q "\"code\":\"$1\"" "$tmp/out" || show_try
}

# finds_saying CODE SEVERITY CERTAINTY PATTERN NAME: one case: an event has it, and its text the pattern
finds_saying()
{
    check "$5: $1, $2, $3" grep -Eq "^\{\"event\":\"finding\".*\"code\":\"$1\",\"severity\":\"$2\",\"certainty\":\"$3\".*$4" "$tmp/out"
    grep -q "\"code\":\"$1\"" "$tmp/out" || show_try
}

# finds_nothing NAME: one case
finds_nothing()
{
    check "$1: nothing is found" grep -q '"event":"verdict".*"findings":\[\]' "$tmp/out"
    grep -q '"findings":\[\]' "$tmp/out" || show_try
}

# finds_no CODE NAME: one case: no event has it
finds_no()
{
    check "$2: no $1" sh -c "! grep -q '\"code\":\"$1\"' '$tmp/out'"
    ! grep -q "\"code\":\"$1\"" "$tmp/out" || show_try
}

# finds_in_flow CODE SEVERITY CERTAINTY NAME: one case: so it is of a flow that read has shown
finds_in_flow()
{
    check "$4, read: $1, $2, $3" grep -q "^{\"event\":\"finding\".*\"code\":\"$1\",\"severity\":\"$2\",\"certainty\":\"$3\"" "$tmp/out"
    grep -q "\"code\":\"$1\"" "$tmp/out" || show_try
}

# provoke CODE STATUS NAME ARGUMENT...: no other finding warns
provoke()
{
    findings=$1
    local wanted=$2 name=$3
    shift 3
    expect_status "$wanted" "$name: ends with $wanted" timeout 60 "$TCPWAVE" "$@" --json
    findings=
}

# Sessions side by side:
#
#   session NAME ARGUMENT...     begins a run of tcpwave, which writes a capture file, too
#   ended NAME STATUS [CODE...]  one case: it ended with that status. What it wrote is what finds and the
#                                others look at; these codes are found, and of the findings they alone
#                                warn. Where it is otherwise the run is made again, up to twice: a
#                                machine that others have most of may let seconds pass in a handshake
#   read_it NAME [CODE...]       its capture file is read, and that is what they look at then

session()
{
    local name=$1 run
    shift
    printf '%s\n' "$@" >"$tmp/$name.args"
    : >"$tmp/$name.out"
    background "$tmp/$name.out" "$tmp/$name.err" \
        timeout -k 5 60 "$TCPWAVE" "$@" --json --pcap "$tmp/$name.pcap"
    eval "session_$name=$run"
    poll test -s "$tmp/$name.out" # so that not all start at once
}

session_again()
{
    local name=$1 argument
    note "$1: the run is made again; it ended with $status: $(json_get verdict message)"
    while read -r argument; do
        set -- "$@" "$argument"
    done <"$tmp/$name.args"
    session "$@"
}

# as_wanted STATUS: the run of now, which may warn of $findings
as_wanted()
{
    local code
    [ "$status" = "$1" ] || return 1
    for code in $findings; do
        grep -q "\"code\":\"$code\"" "$tmp/out" || return 1
    done
    for code in $(sed -n 's/^{"event":"finding".*"code":"\([^"]*\)","severity":"\(warning\|problem\)".*/\1/p' "$tmp/out"); do
        case " $findings " in
        *" $code "*) ;;
        *) return 1 ;;
        esac
    done
}

ended()
{
    local name=$1 wanted=$2 pid findings attempt
    shift 2
    findings=$*
    for attempt in 1 2 3; do
        eval "pid=\$session_$name"
        wait "$pid"
        status=$?
        cp "$tmp/$name.out" "$tmp/out"
        cp "$tmp/$name.err" "$tmp/err"
        if as_wanted "$wanted" || [ $attempt = 3 ] || [ ! -s "$tmp/$name.args" ]; then
            break
        fi
        session_again "$name"
    done
    # All would take long to hold against the schema.
    { head -n 60 "$tmp/out"; grep -e '"event":"finding"' -e '"event":"verdict"' "$tmp/out"; } >>"$tmp/json"
    note_alarms "$name"
    check "$name: ends with $wanted" test "$status" = "$wanted"
    [ "$status" = "$wanted" ] || show_try
}

read_it()
{
    local name=$1 findings
    shift
    findings=$*
    expect_status 0 "$name: its capture is read" "$TCPWAVE" read --json "$tmp/$name.pcap"
}
