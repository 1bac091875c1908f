#!/bin/sh
# Collects every string that the program can print into one list, and fails on words in it that a
# network engineer would have to translate: tests/unit/strings.words names them.
#
#     strings.sh          the test
#     strings.sh --list   prints the list, for a person to read: FILE:LINE and the text
#
# Each word is planted first, in a string of its own, and has to be found there.
top=$(dirname "$0")/../..
words=$top/tests/unit/strings.words
LC_ALL=C
export LC_ALL

tmp=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

texts()
{
    awk -f "$top/tests/unit/strings.awk" "$@"
}

# lib/sim prints in tests only.
printed()
{
    (cd "$top" && find cmd lib/core lib/io lib/report lib/run lib/show lib/wire -name '*.[ch]' |
        sort | sed "s|^|$top/|") >"$tmp/files"
    # shellcheck disable=SC2046 # no name has a space
    texts $(cat "$tmp/files")
}

if [ "$1" = --list ]; then
    printed
    exit
fi

# found FILE: prints each line of the list FILE whose text has one of the words, with what to write.
found()
{
    awk -F '\t' 'NR == FNR {
            if ($0 !~ /^(#|$)/) {
                pattern[++n] = $1
                allowed[n] = $2
                instead[n] = $4
            }
            next
        }
        {
            # A word begins and ends where letters do: "_" stands for such a place, and an escape or
            # a conversion is none of its letters.
            text = $2
            gsub(/\\[nrt]/, " ", text)
            gsub(/[^A-Za-z0-9]/, "_", text)
            gsub(/_+/, "_", text)
            text = "_" text "_"
            for (i = 1; i <= n; i++) {
                left = text
                if (allowed[i] != "-")
                    gsub(allowed[i], "_", left)
                if (left ~ pattern[i])
                    printf "%s: \"%s\": write %s\n", $1, $2, instead[i]
            }
        }' "$words" "$1"
}

case_number=0
status=0
verdict()
{
    case_number=$((case_number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $case_number - $2"
    else
        echo "not ok $case_number - $2"
        status=1
    fi
}

# The planted strings: the third field of each line, and the same in a comment,
# which is not printed.
awk -F '\t' '!/^(#|$)/ { printf "const char *p%d = \"%s\"; /* \"%s\" */\n", NR, $3, $3 }' \
    "$words" >"$tmp/planted.c"
texts "$tmp/planted.c" >"$tmp/planted"
found "$tmp/planted" | sort -u -t : -k 2,2 >"$tmp/caught"
planted=$(wc -l <"$tmp/planted.c")
[ "$planted" -gt 0 ] && [ "$(wc -l <"$tmp/planted")" -eq "$planted" ] &&
    [ "$(wc -l <"$tmp/caught")" -eq "$planted" ]
verdict $? "each of $planted planted strings is found, and none in a comment"

cat >"$tmp/split.c" <<'END'
const char *split = "bytes that it had "
                    "twice";
const char *quoted = "a \"quoted\" word", letter = '"', *kept = "try again";
END
texts "$tmp/split.c" >"$tmp/split"
[ "$(wc -l <"$tmp/split")" -eq 3 ] && [ "$(found "$tmp/split" | wc -l)" -eq 1 ]
verdict $? "a string of two literals is one, and what is allowed is let through"

printed >"$tmp/list"
whole=0
for text in 'SYN unanswered' 'it sent its SYN-ACK' 'port unreachable' 'outside the window' \
    'nothing answered %u SYN%s to %s' 'retransmission of %u' 'no route%s%s to %s%s%s: %s%s%s'; do
    cut -f 2 "$tmp/list" | grep -Fqx "$text" || whole=1
done
verdict $whole "the list has the texts of every folder ($(wc -l <"$tmp/list") strings)"

found "$tmp/list" >"$tmp/bad"
sed 's/^/# /' "$tmp/bad"
[ ! -s "$tmp/bad" ]
verdict $? "no string has a word that a reader would have to translate"

echo "1..$case_number"
exit $status
