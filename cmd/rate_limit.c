/* Applies the limit to a target's address: it is exempt if it cannot be beyond the user's own
 * networks. */
#include "cmd/rate_limit.h"

#include "lib/core/addr.h"
#include "lib/core/diag.h"
#include "lib/wire/address.h"

bool rate_limit_exempt(bool v6, const struct addr *to)
{
    const uint8_t *b = to->byte;

    if (address_loopback(v6, to) || address_link_local(v6, to))
        return true;
    if (v6)
        return (b[0] & 0xfe) == 0xfc; /* fc00::/7 */
    return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168) ||
           (b[0] == 169 && b[1] == 254);
}

int rate_limit_check(bool v6, const struct addr *to, double rate, struct diag *d)
{
    char text[ADDR_TEXT];

    if (rate <= RATE_LIMIT || rate_limit_exempt(v6, to))
        return 0;
    return diag_fail(
        d, WAVE_EINVAL,
        "more than 1,000 segments a second to %s, which is neither a loopback, private "
        "nor link-local address, need --rate-limit=off",
        addr_text(v6, to, text));
}
