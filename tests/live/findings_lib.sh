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

# provoke CODE STATUS NAME ARGUMENT...: no other finding warns
provoke()
{
    findings=$1
    local wanted=$2 name=$3
    shift 3
    expect_status "$wanted" "$name: ends with $wanted" timeout 60 "$TCPWAVE" "$@" --json
    findings=
}
