/*
 * A disk that fails on demand, for the server's process (LD_PRELOAD).
 *
 * While the file named by DOVETAIL_FAULT_SYNC exists, whatever makes data durable fails with EIO; if DOVETAIL_FAULT_ONLY is
 * set, only fsync and fdatasync of files whose names end so. While the file named by DOVETAIL_FAULT_FULL exists, writes to
 * files below DOVETAIL_FAULT_DIR fail with ENOSPC. Each failure adds an octet to the file of the same name with ".hits"
 * behind it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int failing(const char *variable, int error)
{
    char hits[4096];
    int before = errno;
    const char *trigger = getenv(variable);
    if (trigger == NULL || access(trigger, F_OK) != 0) {
        errno = before;
        return 0;
    }
    snprintf(hits, sizeof hits, "%s.hits", trigger);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, hits, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd >= 0) {
        syscall(SYS_write, fd, "x", 1);
        close(fd);
    }
    errno = error;
    return 1;
}

/* The name of an open file; errno stays as it was. */
static int name_of(int fd, char *path, size_t room)
{
    char link[64];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, room - 1);
    errno = before;
    if (length < 0)
        return 0;
    path[length] = 0;
    return 1;
}

static int unsynced(int fd)
{
    char path[4096];
    const char *only = getenv("DOVETAIL_FAULT_ONLY");
    if (only != NULL) {
        if (!name_of(fd, path, sizeof path) || strlen(path) < strlen(only))
            return 0;
        if (strcmp(path + strlen(path) - strlen(only), only) != 0)
            return 0;
    }
    return failing("DOVETAIL_FAULT_SYNC", EIO);
}

static int full(int fd)
{
    char path[4096];
    const char *dir = getenv("DOVETAIL_FAULT_DIR");
    if (dir == NULL || getenv("DOVETAIL_FAULT_FULL") == NULL || !name_of(fd, path, sizeof path))
        return 0;
    return strncmp(path, dir, strlen(dir)) == 0 && failing("DOVETAIL_FAULT_FULL", ENOSPC);
}

int fsync(int fd) { return unsynced(fd) ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return unsynced(fd) ? -1 : (int)syscall(SYS_fdatasync, fd); }
int syncfs(int fd) { return unsynced(fd) ? -1 : (int)syscall(SYS_syncfs, fd); }
int msync(void *start, size_t length, int flags)
{
    return unsynced(-1) ? -1 : (int)syscall(SYS_msync, start, length, flags);
}
int sync_file_range(int fd, off64_t offset, off64_t count, unsigned flags)
{
    return unsynced(fd) ? -1 : (int)syscall(SYS_sync_file_range, fd, offset, count, flags);
}

ssize_t write(int fd, const void *from, size_t count)
{
    return full(fd) ? -1 : syscall(SYS_write, fd, from, count);
}
ssize_t writev(int fd, const struct iovec *from, int count)
{
    return full(fd) ? -1 : syscall(SYS_writev, fd, from, count);
}
ssize_t pwrite(int fd, const void *from, size_t count, off_t offset)
{
    return full(fd) ? -1 : syscall(SYS_pwrite64, fd, from, count, offset);
}
ssize_t pwrite64(int fd, const void *from, size_t count, off64_t offset)
{
    return full(fd) ? -1 : syscall(SYS_pwrite64, fd, from, count, offset);
}
int fallocate(int fd, int mode, off_t offset, off_t length)
{
    return full(fd) ? -1 : (int)syscall(SYS_fallocate, fd, mode, offset, length);
}
int posix_fallocate(int fd, off_t offset, off_t length)
{
    return full(fd) ? ENOSPC : syscall(SYS_fallocate, fd, 0, offset, length) == 0 ? 0 : errno;
}
