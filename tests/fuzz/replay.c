/*
 * Replays a target's corpus with any compiler: every file under tests/fuzz/corpus/<target>, and an
 * empty input. A failed check ends the program, after the file's name was printed.
 */
#include <dirent.h>

#include "tests/fuzz/fuzz.h"

enum { FILE_MAX = 1 << 20 };

/* Runs one file; a copy of its very size lets sanitizers see where it ends. */
static bool replay(const char *directory, const char *name)
{
    static uint8_t room[FILE_MAX];
    char path[4096];
    uint8_t *bytes;
    size_t size;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", directory, name);
    f = fopen(path, "rb");
    if (!f)
        return false;
    size = fread(room, 1, sizeof room, f);
    fclose(f);
    bytes = malloc(size > 0 ? size : 1);
    if (!bytes)
        return false;
    memcpy(bytes, room, size);
    printf("# %s\n", name);
    fflush(stdout);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    return true;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *top = getenv("srcdir");
    const char *target = slash ? slash + 1 : argv[0];
    char directory[2048];
    struct dirent **entry;
    int n;

    (void)argc;
    snprintf(directory, sizeof directory, "%s/tests/fuzz/corpus/%s", top ? top : ".", target);
    n = scandir(directory, &entry, visible, alphasort);
    if (n <= 0) {
        printf("Bail out! no corpus in %s\n", directory);
        return 1;
    }
    printf("1..%d\n", n + 1);
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    printf("ok 1 - %s takes no bytes at all\n", target);
    for (int i = 0; i < n; i++) {
        const bool done = replay(directory, entry[i]->d_name);
        printf("%s %d - %s %s\n", done ? "ok" : "not ok", i + 2, target, entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    return 0;
}
