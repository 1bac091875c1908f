# To be sourced by scripts that print TAP.
#
#   verdict NAME WRONG   one case, which passes if WRONG is empty; else its lines say why not

number=0

verdict()
{
    number=$((number + 1))
    if [ -z "$2" ]; then
        echo "ok $number - $1"
    else
        echo "not ok $number - $1"
        printf '%s\n' "$2" | sed 's/^/# /'
    fi
}
