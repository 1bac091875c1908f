#include "tests/unit/made_capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct made_capture made;

void made_begin(void)
{
    static const uint32_t header[] = {0xa1b23c4d, 0x00040002, 0, 0, 65535, 101};
    int fd;

    snprintf(made.path, sizeof made.path, "/tmp/tcpwave-read-XXXXXX");
    fd = mkstemp(made.path);
    assert_true(fd >= 0);
    made.file = fdopen(fd, "wb");
    assert_non_null(made.file);
    made.now = 1700000000 * WAVE_S;
    made.id = 0;
    fwrite(header, sizeof header, 1, made.file);
}

void made_put(const uint8_t *packet, size_t len)
{
    const uint32_t head[] = {(uint32_t)(made.now / WAVE_S), (uint32_t)(made.now % WAVE_S),
                             (uint32_t)len, (uint32_t)len};

    fwrite(head, sizeof head, 1, made.file);
    fwrite(packet, len, 1, made.file);
    made.now += WAVE_MS;
}
