/* Looks up targets in a process of its own (lib/io/apart.h). */
#include "cmd/resolve.h"

#include <signal.h>

#include "cmd/platform.h"
#include "lib/core/diag.h"
#include "lib/core/text.h"
#include "lib/io/apart.h"

/* Holds what is asked, and what comes back. */
struct question {
    const struct target_name *name;
    enum target_family family;
};

struct answer {
    int rc;
    struct diag why;
    struct target_list list;
};

void resolve_begin(struct resolve *r, const struct show_options *show)
{
    *r = (struct resolve){.show = show, .deadline = WAVE_NEVER};
    if (show->timeout)
        r->deadline = time_add(platform_now(show->platform), show->timeout);
}

static void look_up(void *self, void *result)
{
    const struct question *q = self;
    struct answer *a = result;

    a->rc = target_resolve_all(q->name, q->family, &a->list, &a->why);
}

/* Says what kept the look-up from its end. */
static int cut_off(const struct resolve *r, const struct target_name *name, int rc, struct diag *d)
{
    char timeout[TEXT_DURATION];

    if (r->signal)
        return diag_fail(d, WAVE_ENOTFOUND, "a signal ended the look-up of \"%s\"", name->host);
    if (rc == WAVE_EAGAIN)
        return diag_fail(
            d, WAVE_ENOTFOUND,
            "the look-up of \"%s\" had no answer within the %s of --timeout: do the name "
            "servers of /etc/resolv.conf answer? An address in place of the name "
            "needs none",
            name->host, text_duration_format(r->show->timeout, timeout));
    return diag_fail(d, WAVE_ENOTFOUND, "the look-up of \"%s\" ended without a result", name->host);
}

/* Waits for the look-up's process. */
static int await(struct resolve *r, struct apart *a, const struct apart_work *w,
                 struct answer *answer, struct diag *d)
{
    const struct question *q = w->self;
    int signals = -1, rc = platform_signals(r->show->platform, &signals, d);

    if (rc)
        return rc;
    rc = apart_wait(a, w, r->deadline, signals, answer, &r->signal);
    platform_signals_close(r->show->platform, signals);
    return rc ? cut_off(r, q->name, rc, d) : 0;
}

int resolve_all(struct resolve *r, const struct target_name *name, enum target_family family,
                struct target_list *out, struct diag *d)
{
    struct question q = {name, family};
    struct answer answer = {.rc = 0};
    const struct apart_work w = {look_up, &q, sizeof answer, SIGKILL};
    struct apart a;
    int rc;

    if (r->show->platform || !target_is_looked_up(name) || apart_start(&a, &w, d) != 0) {
        rc = target_resolve_all(name, family, out, d);
        if (!rc)
            platform_resolved(r->show->platform, &out->at[0]);
        return rc;
    }
    rc = await(r, &a, &w, &answer, d);
    apart_end(&a);
    if (rc)
        return rc;
    if (answer.rc == 0)
        *out = answer.list;
    else
        *d = answer.why;
    return answer.rc;
}

int resolve_first(struct resolve *r, const struct target_name *name, enum target_family family,
                  struct target *out, struct diag *d)
{
    struct target_list list;
    int rc = resolve_all(r, name, family, &list, d);

    if (rc == 0)
        *out = list.at[0];
    return rc;
}

void resolve_others(const struct target_list *names, struct report_address to[TARGET_ADDRESSES],
                    struct report_verdict *v)
{
    if (!names)
        return;
    for (uint32_t i = 1; i < names->count; i++)
        to[i - 1] = (struct report_address){names->at[i].v6, names->at[i].addr};
    v->addresses = to;
    v->address_count = names->count - 1;
}
