# Prints "FILE:LINE<TAB>TEXT" for every string literal of the C files that are named. Literals that
# stand side by side are one string, as they are for the compiler. The text is as the source has it,
# with its escapes. What an #include or an assertion of the compiler names is left out.

function put()
{
    if (begun)
        printf "%s:%d\t%s\n", file, first, text
    begun = 0
    text = ""
}

# Returns where the literal ends that begins at `at`, and leaves its text in `taken`.
function literal(line, at, quote,    c)
{
    taken = ""
    for (at++; (c = substr(line, at, 1)) != "" && c != quote; at++) {
        taken = taken c
        if (c == "\\")
            taken = taken substr(line, ++at, 1)
    }
    return at
}

FNR == 1 {
    put()
    comment = 0
    file = FILENAME
    sub(/^.*\/\.\.\/\.\.\//, "", file)
}

/^[ \t]*#[ \t]*include/ || /^[ \t]*_Static_assert|^static_assert/ { next }

{
    for (i = 1; (c = substr($0, i, 1)) != ""; i++) {
        two = substr($0, i, 2)
        if (comment) {
            if (two == "*/") {
                comment = 0
                i++
            }
        } else if (two == "/*") {
            comment = 1
            i++
        } else if (two == "//") {
            break
        } else if (c == "'") {
            put()
            i = literal($0, i, "'")
        } else if (c == "\"") {
            if (!begun)
                first = FNR
            begun = 1
            i = literal($0, i, "\"")
            text = text taken
        } else if (c !~ /[ \t\\]/) {
            put()
        }
    }
}

END { put() }
