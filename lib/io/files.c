/*
 * Opens and streams the files that the command line names. A file is opened with the rights of the
 * user who called, even when the process runs as root: step_down() takes the caller's user and
 * groups for the duration of the open, and step_back() returns to root. After that, every read and
 * every write returns immediately, with WAVE_EAGAIN where there is nothing to read or no room.
 */
#include "lib/io/files.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/core/diag.h"
#include "lib/io/privilege.h"

/*
 * Opening a file with the rights of the caller.
 */

struct self {
    uid_t uid;
    gid_t gid;
    int count;
    gid_t groups[NGROUPS_MAX];
};

static void step_back(const struct self *s)
{
    /* The user comes first, because only root may set groups. None of this can fail, since the
     * process had these ids a moment ago. If it failed all the same, to go on as another user would
     * be worse than to end the process. */
    if (seteuid(s->uid) < 0 || setegid(s->gid) < 0 || setgroups((size_t)s->count, s->groups) < 0)
        abort();
}

/* Takes the caller's user and groups. Returns false, with errno set, when root could not become the
 * caller. *changed says whether step_back() must be called. In a user namespace the caller may not
 * exist (EINVAL, EPERM); root of that namespace is the caller then, and nothing has to change. */
static bool step_down(struct self *s, bool *changed)
{
    struct privilege_user who = privilege_caller();

    *changed = false;
    if (geteuid() != 0 || who.uid == 0)
        return true;
    s->uid = geteuid();
    s->gid = getegid();
    s->count = getgroups(NGROUPS_MAX, s->groups);
    if (s->count < 0)
        return false;
    if (privilege_groups(&who) < 0)
        return errno == EINVAL || errno == EPERM;
    if (setegid(who.gid) < 0 || seteuid(who.uid) < 0) {
        int error = errno;
        step_back(s);
        errno = error;
        return error == EINVAL;
    }
    *changed = true;
    return true;
}

static int open_as_caller(int (*opener)(const char *), const char *path)
{
    struct self self;
    bool changed;

    if (!step_down(&self, &changed))
        return -1;
    int fd = opener(path), error = errno;
    if (changed)
        step_back(&self);
    errno = error;
    return fd;
}

/*
 * Opening.
 */

static int open_reader(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        close(fd);
        errno = EISDIR;
        return -1;
    }
    return fd;
}

/* Opens the directory that holds `path`; *name is the last component of the path. */
static int open_directory(const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    char *copy;

    *name = slash ? slash + 1 : path;
    if (!slash)
        return open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    copy = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (!copy)
        return -1;
    int fd = open(copy, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    return fd;
}

/* Opens a file for writing and empties it, but only when the file is ours to empty. In /tmp another
 * user may have put a file or a symbolic link under the name that we are about to use, as a
 * trap. */
static int open_in(int directory, const char *name)
{
    struct stat dir, st;

    if (fstat(directory, &dir) < 0)
        return -1;
    bool shared = (dir.st_mode & S_ISVTX) && (dir.st_mode & S_IWOTH);
    int fd = openat(directory, name,
                    O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (shared ? O_NOFOLLOW : 0), 0666);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) < 0 || (shared && !S_ISCHR(st.st_mode) && st.st_uid != geteuid())) {
        close(fd);
        errno = EACCES;
        return -1;
    }
    if (S_ISREG(st.st_mode) && ftruncate(fd, 0) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static int open_writer(const char *path)
{
    const char *name;
    int directory = open_directory(path, &name);

    if (directory < 0)
        return -1;
    int fd = open_in(directory, *name ? name : ".");
    int error = errno;
    close(directory);
    errno = error;
    return fd;
}

static struct file file_of(int fd, const char *name)
{
    struct stat st;
    return (struct file){
        .fd = fd, .regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode), .name = name};
}

int file_open_read(struct file *out, const char *path, struct diag *d)
{
    if (strcmp(path, "-") == 0) {
        *out = file_of(STDIN_FILENO, "standard input");
        return 0;
    }
    int fd = open_as_caller(open_reader, path);
    if (fd < 0)
        return diag_fail(d, WAVE_ESYS, "cannot read %s: %s", path, strerror(errno));
    *out = file_of(fd, path);
    return 0;
}

int file_open_write(struct file *out, const char *path, struct diag *d)
{
    if (strcmp(path, "-") == 0) {
        *out = file_of(STDOUT_FILENO, "standard output");
        nonblock_open(&out->to, STDOUT_FILENO, false);
        return 0;
    }
    int fd = open_as_caller(open_writer, path);
    if (fd < 0)
        return diag_fail(d, WAVE_ESYS, "cannot write to %s: %s%s", path, strerror(errno),
                         errno == ELOOP ? " (a symbolic link in a directory that all may write to)"
                                        : "");
    *out = file_of(fd, path);
    nonblock_open(&out->to, fd, true);
    return 0;
}

/*
 * Streaming. We leave descriptors that we inherited in blocking mode, because other processes share
 * them. So we poll such a descriptor before we read from it; nonblock.h says how we write to one.
 */

static bool readable(const struct file *f)
{
    struct pollfd p = {.fd = f->fd, .events = POLLIN};
    return f->regular || poll(&p, 1, 0) > 0;
}

int file_read(const struct file *f, void *to, size_t room, struct diag *d)
{
    if (!readable(f))
        return WAVE_EAGAIN;
    ssize_t n = read(f->fd, to, room < INT_MAX ? room : INT_MAX);
    if (n >= 0)
        return (int)n;
    if (errno == EAGAIN || errno == EINTR)
        return WAVE_EAGAIN;
    return diag_fail(d, WAVE_ESYS, "cannot read %s: %s", f->name, strerror(errno));
}

int file_write(const struct file *f, const void *from, size_t len, struct diag *d)
{
    ssize_t n = nonblock_write(&f->to, from, len);

    if (n >= 0)
        return (int)n;
    if (errno == EAGAIN)
        return WAVE_EAGAIN;
    return diag_fail(d, WAVE_ESYS, "cannot write to %s: %s", f->name, strerror(errno));
}

int file_close(struct file *f, struct diag *d)
{
    int fd = f->fd;
    const char *name = f->name;

    if (f->to.fd != fd)
        nonblock_close(&f->to);
    *f = FILE_NONE;
    if (fd > STDERR_FILENO && close(fd) < 0 && errno != EINTR)
        return diag_fail(d, WAVE_ESYS, "cannot write to %s: %s", name, strerror(errno));
    return 0;
}

int source_open(struct source *out, const void *data, size_t len, const char *path, struct diag *d)
{
    struct source s = {data, len, FILE_NONE};
    int rc = path ? file_open_read(&s.file, path, d) : 0;

    if (rc == 0)
        *out = s;
    return rc;
}

int source_read(struct source *s, void *to, size_t room, struct diag *d)
{
    if (s->file.fd >= 0)
        return file_read(&s->file, to, room, d);
    size_t n = s->left < room ? s->left : room;
    if (n > INT_MAX)
        n = INT_MAX;
    if (n) {
        memcpy(to, s->at, n);
        s->at += n;
        s->left -= n;
    }
    return (int)n;
}

int source_fd(const struct source *s)
{
    return s->file.regular ? -1 : s->file.fd;
}

void source_close(struct source *s)
{
    file_close(&s->file, NULL);
}

/* Returns whether the reader of a pipe has gone. An earlier failed write left its reason in errno,
 * but errno has been overwritten since; the poll still shows a reader that has gone. */
static bool reader_gone(int fd)
{
    struct pollfd p = {.fd = fd};
    return poll(&p, 1, 0) > 0 && (p.revents & OUTBUF_GONE);
}

int stream_flush(FILE *to, struct diag *d)
{
    const char *name = to == stdout ? "standard output" : "standard error";

    if (fflush(to) != 0)
        return diag_fail(d, WAVE_ESYS, "cannot write to %s: %s", name,
                         errno == EPIPE ? "its reader is gone" : strerror(errno));
    if (!ferror(to))
        return 0;
    return diag_fail(d, WAVE_ESYS, "cannot write to %s: %s", name,
                     reader_gone(fileno(to)) ? "its reader is gone" : "the disk may be full");
}
