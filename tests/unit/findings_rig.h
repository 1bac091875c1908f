/*
 * One connection, segment by segment, and what is found in it: what the tests of findings share.
 * Between the script's handshake and its end, numbers are relative to both sides' ISNs; the clocks
 * of both sides count milliseconds, and the round trip is 20 ms.
 */
#ifndef TCPWAVE_TESTS_FINDINGS_RIG_H
#define TCPWAVE_TESTS_FINDINGS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/report/diagnose.h"
#include "tests/unit/report_rig.h"

extern struct script script;
extern struct findings found;
extern struct facts facts; /* zero but for what a case knows */
extern bool over_v6;

/* An empty script, and its end. */
void start(void);
void done(void);

/* A segment of ours, and of the peer's, in ESTABLISHED, with timestamps. */
struct step ours(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len);

struct step theirs(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len);

/* They are captured; time passes between them. */
void say(struct step s);
void elapse(wave_time t);
void say_ours(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len);
void say_theirs(unsigned flags, uint32_t seq, uint32_t ack, uint32_t len);

/* The first segment, and the peer's answer. */
void say_syn(void);
struct step syn_ack(void);

/* Segments 1 to 3; the round trip is 20 ms. */
void shake(void);

/* A SACK option beside the timestamps; numbers relative to our ISN. */
struct step with_sack(struct step s, uint32_t first, uint32_t end);

/* What is found now, with the run over or not. */
void look(bool over, enum verdict verdict);

/* Of what was found: the one with that code, or NULL; the latter fails then. */
const struct finding *get(const char *code);
const struct finding *must(const char *code);

/* The run is over: the finding is there, that sure and severe, shown by these segments (0 ends
 * them). */
const struct finding *expect(const char *code, enum verdict verdict,
                             enum finding_certainty certainty, enum finding_severity severity,
                             const unsigned *evidence);

void says(const struct finding *f, const char *message);
/* Nothing of the kind, neither on the way nor at the end of a run with that verdict. */
void expect_silence(const char *code, enum verdict verdict);

/* Nothing at all that is worth a warning. */
void expect_peace(enum verdict verdict);

/* Each case, over both families. */
void families(void (*run)(void));

/* The peer's FIN and RST, which count. */
void fin_of_theirs(uint32_t seq, uint32_t ack, uint32_t len);
void rst_of_theirs(uint32_t seq, uint8_t ttl);

/* Segments that show it. */
#define SHOWN(...) ((const unsigned[]){__VA_ARGS__, 0})
#define UNSHOWN ((const unsigned[]){0})

/* A case, which is run over IPv4 and over IPv6. */
#define CASE(name)                                                                                 \
    static void name##_in(void);                                                                   \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        families(name##_in);                                                                       \
    }                                                                                              \
    static void name##_in(void)

#endif
