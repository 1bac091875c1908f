#!/bin/sh
# A staged install puts everything where it belongs, install-setcap gives the capability and says what
# that means, and uninstall leaves nothing. Runs make in the build directory, which is this one.
cases=0
tmp=$(mktemp -d "${TMPDIR:-/tmp}/tcpwave.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

[ -e Makefile ] || {
    echo "# is to be run in a build directory"
    exit 77
}

result()
{
    cases=$((cases + 1))
    if [ "$1" = 0 ]; then
        echo "ok $cases - $2"
    else
        echo "not ok $cases - $2"
        tail -n 5 "$tmp/log" | sed 's/^/# /'
    fi
}

# The make that runs this test must not have its say here.
staged()
{
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make --no-print-directory "$@" prefix=/usr DESTDIR="$tmp/stage" >"$tmp/log" 2>&1
}

staged install
result $? "make install DESTDIR=..."
for file in bin/tcpwave share/man/man1/tcpwave.1 share/man/man5/tcpwave-json.5 share/man/man7/tcpwave-findings.7 share/man/man7/tcpwave-impair.7 share/man/man7/tcpwave-sim.7 share/man/man7/tcpwave-tcp.7 \
    share/doc/tcpwave/tcpwave.schema.json share/bash-completion/completions/tcpwave \
    share/zsh/site-functions/_tcpwave share/fish/vendor_completions.d/tcpwave.fish; do
    [ -s "$tmp/stage/usr/$file" ]
    result $? "$file is installed"
done
for command in $("$tmp/stage/usr/bin/tcpwave" --dump-options | cut -f 1 | sort -u); do
    [ -s "$tmp/stage/usr/share/man/man1/tcpwave-$command.1" ]
    result $? "the page of $command is installed"
done

PATH=$PATH:/usr/sbin:/sbin
if cp "$tmp/stage/usr/bin/tcpwave" "$tmp/probe" && setcap cap_net_raw+ep "$tmp/probe" 2>/dev/null; then
    staged install-setcap
    result $? "make install-setcap"
    getcap "$tmp/stage/usr/bin/tcpwave" | grep -q cap_net_raw
    result $? "the program has the capability"
    grep -q 'without being root' "$tmp/log"
    result $? "it is said what that means"
else
    cases=$((cases + 1))
    echo "ok $cases - make install-setcap # SKIP capabilities cannot be set on files here"
fi

staged uninstall
result $? "make uninstall DESTDIR=..."
find "$tmp/stage" ! -type d >"$tmp/log"
[ ! -s "$tmp/log" ]
result $? "uninstall leaves no file"
echo "1..$cases"
