#include "tests/unit/command_rig.h"
#include <stdio.h>
int main(int argc, char **argv)
{
    struct command_rig r;
    rig_init(&r, HOST_DISCARD);
    r.disturbed = true;
    rig_run(&r, argv[1]);
    (void)argc;
    fwrite(r.text, 1, r.text_len, stdout);
    printf("status %d\n", r.status);
    return 0;
}
