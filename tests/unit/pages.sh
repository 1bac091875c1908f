#!/bin/sh
# Each page of the manual as man(1) shows it on a terminal of 80 columns, with groff and with mandoc:
# neither has a warning, no line is too long for the terminal, and both show the same words. The table
# of exit statuses, which authors of scripts look for, keeps its three columns in both.
here=$(cd "$(dirname "$0")" && pwd)
man=$(cd "$here/../../man" && pwd)
cases=0
tmp=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

for tool in groff grotty tbl mandoc; do
    command -v $tool >/dev/null || {
        echo "# $tool is not installed"
        exit 77
    }
done

# result STATUS NAME [FILE]: one case; the file says what went wrong.
result()
{
    cases=$((cases + 1))
    if [ "$1" = 0 ]; then
        printf 'ok %d - %s\n' "$cases" "$2"
    else
        printf 'not ok %d - %s\n' "$cases" "$2"
        [ -z "${3:-}" ] || head -n 20 "$3" | sed 's/^/# /'
    fi
}

# clean NAME FILE: one case; the file is empty.
clean()
{
    [ ! -s "$2" ]
    result $? "$1" "$2"
}

# Removes what makes letters bold or underlined: escape sequences, and letters that are overstruck.
plain()
{
    LC_ALL=C sed -E 's/\x1b\[[0-9;]*m//g; s/([\xc0-\xff][\x80-\xbf]*|[\x00-\x7f])\x08//g'
}

# The lines that have more than 80 characters; the later bytes of a UTF-8 character do not count.
too_long()
{
    LC_ALL=C tr -d '\200-\277' <"$1" | LC_ALL=C awk 'length > 80 { print FNR ": " $0 }'
}

# render TOOL PAGE: the page in $tmp/TOOL, what the tool has to say in $tmp/warnings. The options for
# groff are those that man-db gives it for 80 columns.
render()
{
    case $1 in
    groff) groff -mandoc -t -Tutf8 -rLL=78n -rLT=78n -ww "$2" 2>"$tmp/warnings" ;;
    mandoc)
        mandoc -T lint -W warning "$2" >"$tmp/warnings" 2>&1
        mandoc -T utf8 -O width=80 "$2" 2>>"$tmp/warnings"
        ;;
    esac | plain >"$tmp/$1"
}

# words FILE: the words of a rendered page, one a line, without what each tool does in its own way: the
# page's head and foot, dashes, where a line is broken, and hyphens, which may be there for that.
words()
{
    sed '1d; $d' "$1" | LC_ALL=C sed 's/\xe2\x80[\x93\x94]//g; s/\xc2\xa0/ /g; s/\xe2\x80\x90/-/g' |
        awk '{ $1 = $1 } sub(/-$/, "") { printf "%s", $0; next } { print }' | tr -d - | tr -s ' ' '\n'
}

# The planted pages, each with one thing wrong, of which the checks below must speak.
planted()
{
    cat <<'PAGE'
.Dd November 22, 2026
.Dt PLANTED 7
.Os
.Sh NAME
.Nm planted
.Nd a page with a fault
.Sh DESCRIPTION
PAGE
}
columns=1234567890123456789012345678901234567890123456789012345678901234567890
{ planted && printf '.Bd -literal\n%s12345\n.Ed\n' $columns; } >"$tmp/fits.7"
{ planted && printf '.Bd -literal\n%s123456\n.Ed\n' $columns; } >"$tmp/long.7"
{ planted && printf '.Bl -column "%s"\n.It a Ta b\n.It a Ta several words here\n.El\n' "$columns"; } >"$tmp/table.7"
{ planted && printf '.Bd -literal\ntext\n'; } >"$tmp/open.7"
for tool in groff mandoc; do
    render $tool "$tmp/fits.7"
    too_long "$tmp/$tool" >>"$tmp/warnings"
    clean "$tool: a line of 80 columns is let through" "$tmp/warnings"
    render $tool "$tmp/long.7"
    too_long "$tmp/$tool" | grep -q 123456
    result $? "$tool: a line of 81 columns is found"
done
render groff "$tmp/table.7"
grep -q "can't break line" "$tmp/warnings"
result $? "groff: a table that leaves no room for its last column is found"
render mandoc "$tmp/open.7"
grep -q 'open.7:.*Bd' "$tmp/warnings"
result $? "mandoc: a display that is never closed is found"

{ planted && printf '.ie r doc-display-depth one\n.el two\n'; } >"$tmp/words.7"
for tool in groff mandoc; do
    render $tool "$tmp/words.7"
    words "$tmp/$tool" >"$tmp/$tool.words"
done
! cmp -s "$tmp/groff.words" "$tmp/mandoc.words"
result $? "a word that only one of the two shows is found"

for page in "$man"/*.[0-9]; do
    for tool in groff mandoc; do
        render $tool "$page"
        clean "$(basename "$page"): $tool has nothing to say" "$tmp/warnings"
        too_long "$tmp/$tool" >"$tmp/long"
        clean "$(basename "$page"): no line is over 80 columns with $tool" "$tmp/long"
        words "$tmp/$tool" >"$tmp/$tool.words"
    done
    diff "$tmp/groff.words" "$tmp/mandoc.words" >"$tmp/wrong"
    clean "$(basename "$page"): groff and mandoc show the same words" "$tmp/wrong"
    # What .Ar shows when its argument is missing.
    grep -n 'file \.\.\.' "$tmp/mandoc" >"$tmp/wrong"
    clean "$(basename "$page"): no argument has lost its name" "$tmp/wrong"
done

# The table of statuses: three columns, each row's parts under the words of its head, and what goes
# on in the next line under the third.
for tool in groff mandoc; do
    render $tool "$man/tcpwave.1"
    awk '
        /^EXIT STATUS/ { on = 1; next }
        !on || done { next }
        !head && /status +verdict +meaning/ {
            head = 1
            first = index($0, "status")
            second = index($0, "verdict")
            third = index($0, "meaning")
            next
        }
        head && !NF { done = 1; next }
        head {
            before = substr($0, 1, third - 1)
            if (substr($0, third, 1) == " " || (before ~ /[^ ]/ && before !~ /  $/))
                print "not under \"meaning\": " $0
            if (before ~ /[^ ]/) {
                row = substr($0, first, second - first)
                if (row !~ /^[0-9]/ || substr($0, second, 1) == " ")
                    print "not in columns: " $0
                rows++
            }
        }
        END { if (rows < 9) print rows + 0 " statuses are in the table" }' "$tmp/$tool" >"$tmp/wrong"
    clean "tcpwave.1: the table of exit statuses keeps its columns with $tool" "$tmp/wrong"
done
echo "1..$cases"
