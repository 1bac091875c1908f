#!/bin/sh
# Every example of the manual and of README on sim: is run as it stands on the page, and prints what
# the page shows, to the byte. It takes no privilege and no network.
#
# With DRAWINGS=write, in the source tree, the drawings on the pages become what the program draws
# now, for a person to read before they are committed.
: "${TCPWAVE:=$PWD/tcpwave}"
here=$(cd "$(dirname "$0")" && pwd)
sources=$(cd "$here/../.." && pwd)
live=$sources/tests/live
tmp=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

python=${PYTHON3:-python3} # the interpreter itself: where python3 is a script, to start it takes longer
for tool in mandoc "$python" bash jq; do
    command -v "$tool" >/dev/null || {
        echo "# $tool is not installed"
        exit 77
    }
done

mkdir -p "$tmp/bin" "$tmp/run" "$tmp/examples"
cp "$TCPWAVE" "$tmp/bin/tcpwave" || exit 1
PATH=$tmp/bin:$PATH
export PATH

# went_well NUMBER STATUS
went_well()
{
    if [ -e "$tmp/examples/$1.drawing" ]; then
        "$python" -S "$live/drawings.py" exact "$tmp/examples/$1.drawing" "$tmp/out"
    elif [ -s "$tmp/examples/$1.out" ]; then
        tail -n "$(wc -l <"$tmp/examples/$1.out")" "$tmp/out" | diff "$tmp/examples/$1.out" -
    else
        [ "$2" = 0 ]
    fi
}

cases=0
"$python" -S "$live/examples.py" "$tmp/examples" "$sources"/man/*.[0-9] "$sources/README" >"$tmp/list" || exit 1
while read -r number page command; do
    case $command in
    *" sim:"*) ;;
    *) continue ;;
    esac
    # README's drawings have lines and arrows beyond ASCII, the manual's have not.
    locale=C
    [ "$page" != README ] || locale=C.UTF-8
    (cd "$tmp/run" && export LC_ALL=$locale && exec timeout 60 bash -o pipefail -c "$(cat "$tmp/examples/$number.cmd")") \
        >"$tmp/out" 2>"$tmp/err" </dev/null
    status=$?
    [ "${DRAWINGS:-}" != write ] || [ ! -e "$tmp/examples/$number.drawing" ] ||
        "$python" -S "$live/drawings.py" cut "$tmp/examples/$number.drawing" "$tmp/out" >"$tmp/examples/$number.new"
    cases=$((cases + 1))
    if went_well "$number" $status >"$tmp/differs"; then
        printf '%s\n' "ok $cases - $page: $command"
    else
        printf '%s\n' "not ok $cases - $page: $command"
        echo "# it ended with $status"
        sed 's/^/# /' "$tmp/differs" "$tmp/err"
    fi
done <"$tmp/list"
echo "1..$cases"

[ "${DRAWINGS:-}" = write ] || exit 0
for page in "$sources"/man/*.[0-9] "$sources/README"; do
    set --
    new=no
    while read -r number name command; do
        [ "$name" = "${page##*/}" ] && [ -e "$tmp/examples/$number.drawing" ] || continue
        if [ -e "$tmp/examples/$number.new" ]; then
            set -- "$@" "$tmp/examples/$number.new"
            new=yes
        else
            set -- "$@" "$tmp/examples/$number.drawing"
        fi
    done <"$tmp/list"
    [ $new = no ] || "$python" -S "$live/drawings.py" replace "$page" "$@"
done
