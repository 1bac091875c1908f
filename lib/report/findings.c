/* The list of findings: adding to it, the names of their properties, and a finding in words. */
#include "lib/report/findings.h"

#include <stdio.h>
#include <string.h>

void findings_add(struct findings *list, const struct finding *f)
{
    if (list->count == FINDINGS_MAX)
        list->left_out++;
    else
        list->at[list->count++] = *f;
}

const char *finding_severity_name(enum finding_severity severity)
{
    static const char *const name[] = {
        [FINDING_INFO] = "info", [FINDING_WARNING] = "warning", [FINDING_PROBLEM] = "problem"};

    return name[severity];
}

const char *finding_certainty_name(enum finding_certainty certainty)
{
    static const char *const name[] = {[FINDING_PROVED] = "proved", [FINDING_LIKELY] = "likely"};

    return name[certainty];
}

const char *finding_subject_name(enum finding_subject subject)
{
    static const char *const name[] = {
        [FINDING_PEER] = "peer", [FINDING_PATH] = "path", [FINDING_LOCAL] = "local"};

    return name[subject];
}

const char *finding_text(const struct finding *f, char text[FINDING_ROW])
{
    size_t used;

    snprintf(text, FINDING_ROW, "%s (%s", f->message, finding_certainty_name(f->certainty));
    for (unsigned i = 0; i < f->evidences; i++) {
        used = strlen(text);
        snprintf(text + used, FINDING_ROW - used, "%s%u",
                 i                  ? ", "
                 : f->evidences > 1 ? "; segments "
                                    : "; segment ",
                 f->evidence[i]);
    }
    used = strlen(text);
    snprintf(text + used, FINDING_ROW - used, ")");
    return text;
}
