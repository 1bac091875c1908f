/* Holds a compiled program for each link type. */
#include "lib/wire/capture_filter.h"

#include <pcap/pcap.h>
#include <stdlib.h>

#include "lib/core/diag.h"

static const int types[] = {DLT_EN10MB,    DLT_LINUX_SLL,  DLT_LINUX_SLL2,      DLT_RAW,  DLT_IPV4,
                            DLT_IPV6,      DLT_PPP,        DLT_PPP_SERIAL,      DLT_NULL, DLT_LOOP,
                            DLT_PPP_ETHER, DLT_IEEE802_11, DLT_IEEE802_11_RADIO};

#define TYPES (sizeof types / sizeof *types)

struct capture_filter {
    struct bpf_program program[TYPES];
    bool compiled[TYPES];
};

int capture_filter_open(struct capture_filter **out, const char *expression, struct diag *d)
{
    struct capture_filter *f = calloc(1, sizeof *f);
    bool any = false, said = false;

    if (!f)
        return diag_fail(d, WAVE_ENOMEM, "no memory for the filter");
    for (size_t i = 0; i < TYPES; i++) {
        pcap_t *p = pcap_open_dead(types[i], CAPTURE_FILE_PACKET);
        if (!p)
            continue;
        f->compiled[i] = pcap_compile(p, &f->program[i], expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
        any |= f->compiled[i];
        if (!f->compiled[i] && !said) { /* the first type is the most common one */
            diag_say(d, "--filter %s: %s", expression, pcap_geterr(p));
            said = true;
        }
        pcap_close(p);
    }
    if (!any) {
        capture_filter_close(f);
        return WAVE_EINVAL;
    }
    *out = f;
    return 0;
}

void capture_filter_close(struct capture_filter *f)
{
    for (size_t i = 0; f && i < TYPES; i++)
        if (f->compiled[i])
            pcap_freecode(&f->program[i]);
    free(f);
}

bool capture_filter_passes(const struct capture_filter *f, const struct capture_record *r)
{
    const struct pcap_pkthdr h = {.caplen = r->caplen, .len = r->length};

    for (size_t i = 0; i < TYPES; i++)
        if (types[i] == r->dlt)
            return f->compiled[i] && pcap_offline_filter(&f->program[i], &h, r->bytes) > 0;
    return false;
}
