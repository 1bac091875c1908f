#!/bin/sh
# The manual and the program say the same: each command has a page; each option is in the help and on
# the page of each command that has it, with its range and its default, and none beside; the pages
# are clean; the table of exit statuses is the program's, and the fields of JSON are the schema's.
: "${TCPWAVE:=$PWD/tcpwave}"
here=$(cd "$(dirname "$0")" && pwd)
man=$(cd "$here/../../man" && pwd)
cases=0
tmp=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

command -v mandoc >/dev/null || {
    echo "# mandoc is not installed"
    exit 77
}

# result STATUS NAME [FILE]: one case; what went wrong stands in the file.
result()
{
    cases=$((cases + 1))
    if [ "$1" = 0 ]; then
        printf 'ok %d - %s\n' "$cases" "$2"
    else
        printf 'not ok %d - %s\n' "$cases" "$2"
        [ -z "${3:-}" ] || sed 's/^/# /' "$3"
    fi
}

# nothing NAME FILE: one case; the file is empty.
nothing()
{
    [ ! -s "$2" ]
    result $? "$1" "$2"
}

# The page as it is read, one paragraph or item a line of any length.
page()
{
    mandoc -Tutf8 -Owidth=1000 "$1" | sed 's/.\x08//g'
}

"$TCPWAVE" --dump-options >"$tmp/table"
commands=$(awk -F '\t' '$2 == "-" && $3 == "-" { print $1 }' "$tmp/table")

for file in "$man"/*.[0-9]; do
    mandoc -Tlint -Wwarning "$file" >"$tmp/lint" 2>&1
    nothing "$(basename "$file"): mandoc has nothing to say" "$tmp/lint"
done

# Options of a command as a help or a page names them at the head of an item: "-x" and "--name".
named()
{
    awk '
        /^(SEE ALSO|EXAMPLES)/ { exit }
        $1 ~ /^--?[a-z0-9]/ {
            for (i = 1; i <= NF && $i ~ /^-/; i++) {
                name = $i
                sub(/,$/, "", name)
                print name
                if ($i !~ /,$/)
                    break
            }
        }' | sort -u
}

for command in $commands; do
    awk -F '\t' -v command="$command" '
        $1 == command && $3 != "-" { print "-" $3 }
        $1 == command && $2 != "-" { print "--" $2 }' "$tmp/table" | sort -u >"$tmp/options"

    "$TCPWAVE" "$command" --help | named >"$tmp/help"
    diff "$tmp/options" "$tmp/help" >"$tmp/wrong"
    nothing "$command --help names its options, and no other" "$tmp/wrong"

    if [ ! -e "$man/tcpwave-$command.1" ]; then
        result 1 "$command has a page in the manual"
        continue
    fi
    page "$man/tcpwave-$command.1" >"$tmp/page"
    { cat "$tmp/options"; printf '%s\n' -h --help; } | sort -u >"$tmp/wanted"
    awk '/^OPTIONS/ { on = 1; next } /^[A-Z]/ { on = 0 } on && /^     -/' "$tmp/page" | named | diff "$tmp/wanted" - >"$tmp/wrong"
    nothing "tcpwave-$command(1) names its options, and no other" "$tmp/wrong"

    # An item: its head and what stands under it, up to the next head.
    awk '
        /^OPTIONS/ { on = 1; next }
        /^[A-Z]/ { on = 0 }
        !on { next }
        /^     -/ { printf "%s%s", any ? "\n" : "", $0; any = 1; next }
        { $1 = $1; printf " %s", $0 }
        END { print "" }' "$tmp/page" >"$tmp/items"
    awk -F '\t' -v command="$command" '
        FNR == NR {
            line = $0
            head = $0
            sub(/^ +/, "", head)
            name = head
            if (match(head, /--[a-z0-9-]+/))
                name = substr(head, RSTART + 2, RLENGTH - 2)
            else
                name = substr(head, 2, 1)
            item[name] = line " "
            next
        }
        $1 != command || ($2 == "-" && $3 == "-") { next }
        {
            name = $2 == "-" ? $3 : $2
            text = item[name]
            if ($5 != "-" && index(text, $5) == 0)
                print "--" name ": its range, " $5 ", is not on the page"
            value = $6
            if (match(value, /\(default:? [^):;]+/)) {
                value = substr(value, RSTART, RLENGTH)
                sub(/\(default:? /, "", value)
                if (text !~ /default/)
                    print "--" name ": its default is not on the page"
                else if (value ~ /^[0-9][^ ]*$/ && index(text, value) == 0)
                    print "--" name ": its default, " value ", is not on the page"
            }
        }' "$tmp/items" "$tmp/table" >"$tmp/wrong"
    nothing "tcpwave-$command(1) has ranges and defaults as the program" "$tmp/wrong"
done

# Pages of commands that are no more.
for file in "$man"/tcpwave-*.1; do
    command=${file##*/tcpwave-}
    echo "$commands" | grep -qx "${command%.1}"
    result $? "$(basename "$file") is of a command"
done

# Every command is in tcpwave(1), and on the one screen that tcpwave alone prints.
page "$man/tcpwave.1" >"$tmp/overview"
"$TCPWAVE" >"$tmp/screen.out" 2>"$tmp/screen"
result $((! ($? == 2))) "tcpwave alone is a usage error"
for command in $commands; do
    grep -q "tcpwave-$command(1)" "$tmp/overview"
    result $? "tcpwave(1) names $command"
    grep -q "^  $command " "$tmp/screen"
    result $? "tcpwave alone names $command"
done
[ "$(wc -l <"$tmp/screen")" -le 24 ] && ! grep -q '.\{80\}' "$tmp/screen"
result $? "tcpwave alone prints one screen"

# Statuses: the words of the overview's help, which the program prints, are those of the page.
grep -o '[0-9] [a-z][a-z]*' "$tmp/screen" | grep -E ' (open|failed|usage|local|refused|dropped|rejected|reset|lost)$' >"$tmp/statuses"
while read -r status word; do
    [ "$word" != usage ] || word='\(none\)'
    grep -Eq "^ +$status +$word " "$tmp/overview" || echo "$status $word"
done <"$tmp/statuses" >"$tmp/wrong"
[ "$(wc -l <"$tmp/statuses")" = 9 ] || echo "the program names $(wc -l <"$tmp/statuses") statuses" >>"$tmp/wrong"
nothing "tcpwave(1) has the statuses that the program names" "$tmp/wrong"

# Every finding of the tables has its entry, and there is none beside.
sed -n 's/^    {"\([a-z-]*\)", FINDING_.*/\1/p' "$here"/../../lib/report/find_*.c \
    "$here"/../../lib/report/flow_findings.c "$here"/../../cmd/idle_findings.c | sort -u >"$tmp/codes"
sed -n 's/^\.It Cm \([a-z-]*-[a-z-]*\|fragments\|reordered\|duplicated\|impaired\|silent\|loss\|idle\)\( , \([a-z-]*\)\)\{0,1\}$/\1 \3/p' \
    "$man/tcpwave-findings.7" | tr ' ' '\n' | grep . | sort >"$tmp/entries"
[ "$(wc -l <"$tmp/codes")" -gt 20 ] || echo "fewer than 20 codes were found" >"$tmp/codes"
diff "$tmp/codes" "$tmp/entries" >"$tmp/wrong"
nothing "tcpwave-findings(7) has an entry for each finding, and no other" "$tmp/wrong"

# Every preset has its entry, with the commands that have it and its rules.
"$TCPWAVE" listen --preset help | sed 's/ .*//' | sort >"$tmp/listens"
"$TCPWAVE" connect --preset help | sed 's/ .*//' | sort >"$tmp/connects"
sort -u "$tmp/listens" "$tmp/connects" >"$tmp/names"
"$TCPWAVE" listen --preset help >/dev/null 2>"$tmp/wrong" && "$TCPWAVE" connect h:1 --preset=help >/dev/null 2>>"$tmp/wrong"
result $? "--preset help ends with status 0, with or without a target" "$tmp/wrong"
[ "$(wc -l <"$tmp/names")" -gt 40 ] || echo "fewer than 40 presets were found" >"$tmp/names"
sed -n 's/^\.It Cm \([a-z-]*\).*/\1/p' "$man/tcpwave-presets.7" | sort | diff "$tmp/names" - >"$tmp/wrong"
nothing "tcpwave-presets(7) has an entry for each preset, and no other" "$tmp/wrong"
while read -r name; do
    only=
    grep -qx "$name" "$tmp/connects" || only=' Pq listen only'
    grep -qx "$name" "$tmp/listens" || only=' Pq connect only'
    grep -qx "\.It Cm $name$only" "$man/tcpwave-presets.7" || echo "$name:$only"
done <"$tmp/names" >"$tmp/wrong"
nothing "tcpwave-presets(7) says which command has a preset" "$tmp/wrong"
page "$man/tcpwave-presets.7" >"$tmp/presets"
grep -o 'RULES([^)]*)' "$here/../../cmd/preset_table.c" | grep -o '"[^"]*"' | tr -d '"' >"$tmp/rules"
[ "$(wc -l <"$tmp/rules")" -gt 40 ] || echo "fewer than 40 rules were found" >"$tmp/rules"
while read -r rule; do
    grep -Fq "‘$rule’" "$tmp/presets" || echo "$rule"
done <"$tmp/rules" >"$tmp/wrong"
nothing "tcpwave-presets(7) has the rules of each" "$tmp/wrong"

# Every field and every word of the schema is explained.
if command -v jq >/dev/null; then
    page "$man/tcpwave-json.5" >"$tmp/json"
    jq -r '[.. | objects | (.properties // {} | keys[]), (.enum // [] | .[] | strings)] | unique[]' \
        "$man/tcpwave.schema.json" | while read -r word; do
        grep -Eq "(^|[^a-zA-Z0-9_])$word([^a-zA-Z0-9_]|\$)" "$tmp/json" || echo "$word"
    done >"$tmp/wrong"
    nothing "tcpwave-json(5) has every field and every word of the schema" "$tmp/wrong"
    jq -r '.. | objects | .properties?.command?.enum // empty | .[]' "$man/tcpwave.schema.json" >"$tmp/enum"
    for command in $commands; do
        grep -qx "$command" "$tmp/enum" || echo "$command"
        grep -q "^    $command  " "$here/../../README" || echo "$command in README"
    done >"$tmp/wrong"
    nothing "the schema and README have every command" "$tmp/wrong"
else
    cases=$((cases + 1))
    echo "ok $cases - tcpwave-json(5) has every field of the schema # SKIP jq is not installed"
fi

# Live tests hold the lines of --json against it, and take it to be a schema.
"${PYTHON3:-python3}" "$here/../live/schema.py" "$man/tcpwave.schema.json" >"$tmp/wrong" 2>&1
status=$?
case $status in
77 | 127)
    cases=$((cases + 1))
    echo "ok $cases - the schema is one # SKIP $(cat "$tmp/wrong")"
    ;;
*) result $status "the schema is one" "$tmp/wrong" ;;
esac

# What they hold them against it with, and the package that knows all schemas, give the same answers.
{
    head -c 4000 /dev/zero >"$tmp/data"
    "$TCPWAVE" connect --json -f "$tmp/data" --sim mtu=576,loss=10%,reorder=20%,seed=5 --pcap "$tmp/run.pcapng" sim:80
    "$TCPWAVE" read --json "$tmp/run.pcapng"
    "$TCPWAVE" keepalive --json --idle 1s --interval 1s --for 3s sim:80
    "$TCPWAVE" idle --json --from 1s --to 3s --sim nat=2s sim:80
    "$TCPWAVE" load --json --connections 20 --rate 10 sim:80
    "$TCPWAVE" listen --json --connections 1 sim:80
    echo '{"event":"unanswered","time":1.5,"number":3,"waited":0.25}'
} >"$tmp/lines"
if [ $status = 0 ] && [ -x "${JSON_SCHEMA:-}" ]; then
    "${PYTHON3:-python3}" "$here/../live/schema.py" "$man/tcpwave.schema.json" "$tmp/lines" "$JSON_SCHEMA" >"$tmp/wrong" 2>&1
    result $? "json_schema answers as jsonschema does" "$tmp/wrong"
    sed -n '1s/^/# /p' "$tmp/wrong"
else
    cases=$((cases + 1))
    echo "ok $cases - json_schema answers as jsonschema does # SKIP one of them is not there"
fi
echo "1..$cases"
