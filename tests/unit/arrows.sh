#!/bin/sh
# The shape of the source: which folder may include which, how long a file and a function may be, and
# what is known in one place only.
# Arrows point down only (README, "Map"); a new folder needs a row here before it may include
# anything.
: "${srcdir:=.}"
. "$(dirname "$0")/verdict.sh"
cd "$srcdir" || exit 1

file_most=800 function_most=60

# A folder, and the folders that it may include.
allowed='
lib/core    lib/core
lib/io      lib/core lib/io
lib/wire    lib/core lib/io lib/wire
lib/sim     lib/core lib/sim
lib/report  lib/core lib/report
lib/run     lib/core lib/io lib/wire lib/sim lib/report lib/run
lib/show    lib/core lib/io lib/report lib/show
cmd         lib/core lib/io lib/wire lib/sim lib/report lib/run lib/show cmd
'

folders=$(find lib cmd -name '*.[ch]' | sed 's,/[^/]*$,,' | sort -u)
echo 1..$(($(printf '%s\n' "$folders" | wc -l) + 7))

for folder in $folders; do
    row=$(printf '%s\n' "$allowed" | awk -v f="$folder" '$1 == f { $1 = ""; print; found = 1 }
        END { if (!found) print "none: it has no row in this test" }')
    wrong=$(grep -nE '^#include "(lib/[a-z]+|cmd)/' "$folder"/*.[ch] | awk -F'"' -v row="$row" '
        { target = $2; sub("/[^/]*$", "", target)
          if (index(" " row " ", " " target " ") == 0) print $1 $2 }')
    verdict "$folder includes only: $row" "$wrong"
done

verdict "no file is longer than $file_most lines" "$(find lib cmd -name '*.[ch]' -exec wc -l {} + |
    awk -v most=$file_most '$2 != "total" && $1 > most { print $2 ": " $1 " lines" }')"

# A function begins with a brace in the first column and ends with one.
functions=$(find lib cmd -name '*.c' -exec awk '
    FNR == 1 { open = 0 }
    /^[a-zA-Z].*\(/ { name = $0 }
    /^\{/ { begin = FNR; open = 1 }
    /^\}/ && open { print FILENAME ":" begin ": " FNR - begin + 1 " lines: " name; open = 0 }' {} +)
verdict "functions were found" "$([ "$(printf '%s\n' "$functions" | wc -l)" -gt 100 ] ||
    echo "fewer than 100: this test cannot read the sources any more")"
verdict "no function is longer than $function_most lines" "$(printf '%s\n' "$functions" |
    awk -v most=$function_most '$2 > most')"

# What the tracker said is changed in report.c alone, and so is the count of what it said of ours.
verdict 'a segment becomes a retransmission in the tracker and in report.c alone' "$(grep -rnE \
    -e 'notes *[|&^]?= *[^=].*TRACK_RETRANSMISSION' \
    -e '(flow\.|flow->|f->)retransmissions *([-+*/|&]?=[^=]|\+\+|--)' --include='*.[ch]' \
    lib/run lib/report lib/show cmd | grep -v '^lib/report/report\.c:')"

# options FILE...: the options and commands of tcpwave that strings in these name. Those of other
# programs stand behind their names.
options()
{
    awk -f tests/unit/strings.awk "$@" | awk -F '\t' -v commands="$commands" '{
        text = " " $2
        gsub(/(ethtool|tc|arping|ss) --?[A-Za-z]+/, "", text)
        if (text ~ /[ (`]--?[A-Za-z]/ || text ~ "tcpwave (" commands ")[^a-z]")
            print $1 ": " $2
    }'
}

# The words for an option are the command line's (lib/report/how_to.h).
commands=$(sed -n 's/^ *ROW(\([a-z]*\)).*/\1/p' cmd/command.h | paste -sd '|')
planted=$(mktemp "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
trap 'rm -f "$planted"' EXIT
cat >"$planted" <<'END'
a("try --mss 1200");
b("use another one (-p)");
c("without " "-i");
d("-q shows nothing");
e("see tcpwave connect --help");
f("see tcpwave listen.");
g("a three-way close, ethtool -K %s gro off, tc -s qdisc, arping -D, ss -ltn there");
h("tcpwave stopped it, %-*s - tcpwave-impair(7)");
END
found=$(options "$planted" | awk -F: '{ printf "%s ", $2 }')
verdict 'an option is found in a string, and that of another program is none' \
    "$([ "$found" = '1 2 3 4 5 6 ' ] || echo "lines $found")"
verdict 'lib/report and lib/show name no option' "$(options lib/report/*.[ch] lib/show/*.[ch])"
verdict 'the words that cmd/how_to.c has for them are options' "$(
    sed -n 's/.*= "\(.*\)",$/ \1/p' cmd/how_to.c | grep -oE ' --?[a-z][a-z-]*' | while read -r word; do
        name=${word#-} row="KIND_[A-Z]*, '$name',"
        [ "$name" = "${name#-}" ] || row="KIND_[A-Z]*, [^,]*, \"${name#-}\","
        grep -q "$row" cmd/*.c || echo "$word"
    done)"
