/*
 * Takes the findings out of a program that is linked with --wrap for each of these functions: what
 * the program costs without them is what it costs less with them (findings.py).
 */
#include "lib/report/diagnose.h"

void __wrap_signs_segment(struct report_flow *f, const struct report_seen *seen,
                          const struct report_segment *g);
void __wrap_signs_refused(struct report_flow *f, enum check why, const struct seg *s, bool fresh);
void __wrap_diagnose_live(struct report *r, struct report_flow *f, wave_time stamp);
void __wrap_diagnose(const struct facts *k, struct findings *list);

void __wrap_signs_segment(struct report_flow *f, const struct report_seen *seen,
                          const struct report_segment *g)
{
    (void)f;
    (void)seen;
    (void)g;
}

void __wrap_signs_refused(struct report_flow *f, enum check why, const struct seg *s, bool fresh)
{
    (void)f;
    (void)why;
    (void)s;
    (void)fresh;
}

void __wrap_diagnose_live(struct report *r, struct report_flow *f, wave_time stamp)
{
    (void)r;
    (void)f;
    (void)stamp;
}

void __wrap_diagnose(const struct facts *k, struct findings *list)
{
    (void)k;
    (void)list;
}
