/*
 * TCP option bytes. Parsing never fails and stays within them. What was parsed survives being
 * built: the result is aligned and bounded, and its length is the one announced before. A SYN
 * cookie returns what it was made of.
 */
#include "lib/core/cookie.h"
#include "tests/fuzz/fuzz.h"

static void round_trip(const struct opt *o)
{
    uint8_t room[OPT_BYTES_MAX], twice[OPT_BYTES_MAX];
    const unsigned known = OPT_MSS | OPT_WSCALE | OPT_SACK_PERMITTED | OPT_TIMESTAMP;
    struct opt read;
    size_t n = opt_build(o, room);

    require(n == opt_size(o) && n <= sizeof room && n % 4 == 0);
    opt_parse(room, n, &read);
    require(!(read.has & (OPT_MALFORMED | OPT_OTHER)));
    require((read.has & known) == (o->has & known));
    require(!(o->has & OPT_MSS) || read.mss == o->mss);
    require(!(o->has & OPT_WSCALE) || read.wscale == o->wscale);
    require(!(o->has & OPT_TIMESTAMP) || (read.tsval == o->tsval && read.tsecr == o->tsecr));
    require(read.sacks <= o->sacks);
    require(memcmp(read.sack, o->sack, read.sacks * sizeof o->sack[0]) == 0);
    require(opt_build(&read, twice) == n && memcmp(room, twice, n) == 0);
}

/* Three bits hold the MSS, and what the timestamp has room for comes back as it was. */
static void cookie(struct cursor *in, const struct opt *syn)
{
    static const uint8_t secret[16] = "of the fuzzer's";
    const struct siphash_key key = siphash_key(secret, 1);
    const wave_time now = cursor_u32(in) * WAVE_MS, later = cursor_u8(in) * WAVE_S;
    const struct flow flow = {
        .local = addr_v4(192, 0, 2, 1), .remote = addr_v4(192, 0, 2, 2), .lport = cursor_u16(in)};
    const struct seq irs = seq_of(cursor_u32(in));
    const uint16_t mss = syn->has & OPT_MSS ? syn->mss : 536;
    const struct seq iss = cookie_make(&key, now, &flow, irs, mss);
    uint16_t back = cookie_check(&key, now + later, &flow, irs, iss);
    const uint32_t clock = cursor_u32(in);
    const bool ecn = clock & 1;
    struct opt remembered = {0};
    uint32_t tsval;

    require(later > COOKIE_LIFE || (back >= 88 && (back <= mss || back == 88)));
    require(later <= 2 * COOKIE_LIFE || back == 0);
    tsval = cookie_tsval(clock, syn, ecn);
    require(clock - tsval < 64);
    require(cookie_tsecr(tsval, &remembered) == ecn);
    require((remembered.has & OPT_SACK_PERMITTED) == (syn->has & OPT_SACK_PERMITTED));
    require((remembered.has & OPT_WSCALE) == (syn->has & OPT_WSCALE));
    require(!(syn->has & OPT_WSCALE) || remembered.wscale == (syn->wscale > 14 ? 14 : syn->wscale));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct opt o;
    struct cursor in;
    size_t len;

    if (size < 1)
        return 0;
    /* The options are what is left at the end, so that they stand at the end of what may be
     * read; the first byte says how much comes before them. */
    len = bytes[0] % 32 < size - 1 ? size - 1 - bytes[0] % 32 : size - 1;
    opt_parse(bytes + size - len, len, &o);
    require(o.sacks <= OPT_SACK_MAX && o.raw_len <= OPT_BYTES_MAX && o.raw_len <= len);
    require(!o.raw_len || o.raw == bytes + size - len);
    require(!(o.has & OPT_SACK) == (o.sacks == 0));
    round_trip(&o);
    in = cursor_of(bytes + 1, size - 1);
    cookie(&in, &o);
    return 0;
}
