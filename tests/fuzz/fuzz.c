/*
 * Builds what several fuzz targets need from their input: the pattern that data follows, sequence
 * numbers near to a given one, TCP options (valid or arbitrary), and the path of a temporary file.
 */
#include "tests/fuzz/fuzz.h"

#include <unistd.h>

uint8_t pattern_bytes[PATTERN_PERIOD + PATTERN_MAX];

void pattern_fill(void)
{
    if (pattern_bytes[1])
        return;
    /* A period that is no power of two, within one that is: an error by a round number shows. */
    for (uint32_t i = 0; i < sizeof pattern_bytes; i++)
        pattern_bytes[i] = (uint8_t)(1 + i % PATTERN_PERIOD % 251);
}

struct seq fuzz_near(struct cursor *in, struct seq base)
{
    uint8_t how = cursor_u8(in);

    if (how < 100)
        return base;
    if (how < 160)
        return seq_add(base, cursor_u8(in));
    if (how < 220)
        return seq_sub(base, cursor_u8(in));
    if (how < 250)
        return seq_add(base, cursor_u16(in));
    return seq_of(cursor_u32(in));
}

void fuzz_options(struct cursor *in, uint8_t bytes[OPT_BYTES_MAX], struct opt *out)
{
    uint8_t how = cursor_u8(in);
    size_t len = how % (OPT_BYTES_MAX + 1);
    struct opt o = {.has = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TIMESTAMP,
                    .mss = 1460,
                    .wscale = 7,
                    .tsval = 1};
    const uint8_t *p;

    memset(bytes, 0, OPT_BYTES_MAX);
    if (how >= 200) {
        len = opt_build(&o, bytes);
    } else {
        len = len < in->left ? len : in->left;
        p = cursor_bytes(in, len);
        if (p)
            memcpy(bytes, p, len);
    }
    opt_parse(bytes, len, out);
}

static bool refuses(struct fuzz_memory *m)
{
    if (m->left > 0 && --m->left == 0) {
        m->left = 1;
        return true;
    }
    return m->every > 0 && ++m->asked % m->every == 0;
}

void *fuzz_resize(void *ctx, void *old, size_t old_size, size_t new_size)
{
    struct fuzz_memory *m = ctx;
    void *p = NULL;

    require(old || old_size == 0);
    if (new_size == 0) {
        free(old);
    } else if (refuses(m)) {
        m->refused = true;
        return NULL;
    } else {
        p = realloc(old, new_size);
    }
    m->held = m->held - old_size + new_size;
    return p;
}

const char *fuzz_path(const char *ending, char path[FUZZ_PATH])
{
    const char *directory = getenv("TMPDIR");

    snprintf(path, FUZZ_PATH, "%.200s/tcpwave-fuzz-%d.%s", directory ? directory : "/tmp",
             (int)getpid(), ending);
    return path;
}
