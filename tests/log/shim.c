/* Writes down, in their order, the calls by which a process changes one folder, and fails one of them where
 * that is asked for. Loaded ahead of the C library, so that the process itself is the one that is shipped.
 *
 * LOG_SHIM_TRACE   the file that is written
 * LOG_SHIM_FOLDER  the folder that is watched
 * LOG_SHIM_FAIL    "S 3 5": the third sync of a file (of a folder: D; write: W; cut: C) fails with errno 5;
 *                  a write that fails has written its first half, a sync that fails has synced nothing
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;
static const char *folder = "";
static char fail_kind;
static long fail_at, fail_errno;

static void put(const void *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = syscall(SYS_write, trace, bytes, length);
        if (written <= 0) abort();
        bytes = (const char *)bytes + written;
        length -= (size_t)written;
    }
}

/* kind 1 | inode 8 | number 8 | length of a 4 | length of b 4 | a | b */
static void note(char kind, uint64_t inode, uint64_t number, const void *a, size_t a_length, const char *b) {
    char head[25];
    uint32_t lengths[2] = {(uint32_t)a_length, (uint32_t)strlen(b)};
    head[0] = kind;
    memcpy(head + 1, &inode, 8);
    memcpy(head + 9, &number, 8);
    memcpy(head + 17, lengths, 8);
    put(head, sizeof head);
    put(a, a_length);
    put(b, lengths[1]);
}

__attribute__((constructor)) static void start(void) {
    const char *path = getenv("LOG_SHIM_TRACE"), *fail = getenv("LOG_SHIM_FAIL");
    if (!path || !getenv("LOG_SHIM_FOLDER")) return;
    folder = getenv("LOG_SHIM_FOLDER");
    trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (trace < 0) abort();
    if (fail && sscanf(fail, "%c %ld %ld", &fail_kind, &fail_at, &fail_errno) != 3) abort();
}

static int watched_path(const char *path) {
    return trace >= 0 && strncmp(path, folder, strlen(folder)) == 0;
}

/* The path and inode of a descriptor in the folder; 0 for any other. */
static int watched(int fd, char path[PATH_MAX], struct stat *about) {
    char link[64];
    if (trace < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return watched_path(path) && fstat(fd, about) == 0;
}

static int fails(char kind) {
    if (kind != fail_kind || --fail_at != 0) return 0;
    errno = (int)fail_errno;
    return 1;
}

static int opened(const char *path, int flags, mode_t mode) {
    struct stat before, after;
    if (!watched_path(path) || !(flags & (O_CREAT | O_TRUNC)))
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    pthread_mutex_lock(&order);
    int there = stat(path, &before) == 0;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
    int error = errno;
    if (fd >= 0 && fstat(fd, &after) == 0) {
        if (!there) note('O', after.st_ino, 0, path, strlen(path), "");
        else if (flags & O_TRUNC) note('C', after.st_ino, 0, path, strlen(path), "");
    }
    pthread_mutex_unlock(&order);
    errno = error;
    return fd;
}

#define OPEN(name)                                                    \
    int name(const char *path, int flags, ...) {                      \
        va_list rest;                                                 \
        va_start(rest, flags);                                        \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;     \
        va_end(rest);                                                 \
        return opened(path, flags, mode);                             \
    }
OPEN(open)
OPEN(open64)

static ssize_t wrote(int fd, const void *bytes, size_t length, off_t at, int positioned) {
    char path[PATH_MAX];
    struct stat about;
    if (!watched(fd, path, &about))
        return positioned ? syscall(SYS_pwrite64, fd, bytes, length, at) : syscall(SYS_write, fd, bytes, length);
    pthread_mutex_lock(&order);
    if (!positioned) at = lseek(fd, 0, SEEK_CUR);
    int failing = fails('W');
    if (failing) length /= 2;
    ssize_t written = positioned ? syscall(SYS_pwrite64, fd, bytes, length, at) : syscall(SYS_write, fd, bytes, length);
    int error = errno;
    if (written > 0) note('W', about.st_ino, (uint64_t)at, bytes, (size_t)written, path);
    pthread_mutex_unlock(&order);
    errno = failing ? (int)fail_errno : error;
    return failing ? -1 : written;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return wrote(fd, bytes, length, at, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) { return wrote(fd, bytes, length, at, 1); }
ssize_t write(int fd, const void *bytes, size_t length) { return wrote(fd, bytes, length, 0, 0); }

static int cut(int fd, off_t length) {
    char path[PATH_MAX];
    struct stat about;
    if (!watched(fd, path, &about)) return (int)syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&order);
    int answer = fails('C') ? -1 : (int)syscall(SYS_ftruncate, fd, length);
    int error = errno;
    if (answer == 0) note('C', about.st_ino, (uint64_t)length, path, strlen(path), "");
    pthread_mutex_unlock(&order);
    errno = error;
    return answer;
}

int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off_t length) { return cut(fd, length); }

static int synced(int fd, long number) {
    char path[PATH_MAX];
    struct stat about;
    if (!watched(fd, path, &about)) return (int)syscall(number, fd);
    pthread_mutex_lock(&order);
    int answer = fails(S_ISDIR(about.st_mode) ? 'D' : 'S') ? -1 : (int)syscall(number, fd);
    int error = errno;
    note('S', about.st_ino, answer == 0 ? 0 : (uint64_t)error, path, strlen(path), "");
    pthread_mutex_unlock(&order);
    errno = error;
    return answer;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

int rename(const char *from, const char *to) {
    if (!watched_path(from)) return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    pthread_mutex_lock(&order);
    int answer = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    int error = errno;
    if (answer == 0) note('R', 0, 0, from, strlen(from), to);
    pthread_mutex_unlock(&order);
    errno = error;
    return answer;
}

int unlink(const char *path) {
    if (!watched_path(path)) return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    pthread_mutex_lock(&order);
    int answer = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    int error = errno;
    if (answer == 0) note('U', 0, 0, path, strlen(path), "");
    pthread_mutex_unlock(&order);
    errno = error;
    return answer;
}
