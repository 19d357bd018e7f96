// Writes down what is safe from a power cut: for each file that is synced, its length when the sync began.
// What is written while a sync runs may or may not be part of it; here it is not, which is the worst case.
//
// One line for each event, in the order of the events: `sync LENGTH PATH`, `cut LENGTH PATH` (the file was
// made shorter), `gone 0 PATH`, `move 0 PATH` followed by `to 0 PATH`.
//
// The system is asked without the C library's help: the functions of these names are the ones below.
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int record = -1;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAREBOX_LAB_POWER");
    record = path ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (record < 0) _exit(113);
}

// One write for one event: threads and children append to the same file.
static void note(const char *event, long long length, const char *path, const char *target) {
    char text[2 * PATH_MAX + 64];
    int size = snprintf(text, sizeof text, "%s %lld %s\n", event, length, path);
    if (target) size += snprintf(text + size, sizeof text - size, "to 0 %s\n", target);
    // An event that is not on record would make the test say what did not happen.
    if (write(record, text, size) != size) _exit(114);
}

static const char *path_of(int file, char path[PATH_MAX]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    if (size < 0) return NULL;
    path[size] = 0;
    return path;
}

static int synced(int file, long call) {
    char path[PATH_MAX];
    struct stat before;
    int regular = fstat(file, &before) == 0 && S_ISREG(before.st_mode) && path_of(file, path);
    int result = (int)syscall(call, file);
    if (result == 0 && regular) note("sync", before.st_size, path, NULL);
    return result;
}

int fsync(int file) { return synced(file, SYS_fsync); }

int fdatasync(int file) { return synced(file, SYS_fdatasync); }

int ftruncate(int file, off_t length) {
    char path[PATH_MAX];
    int result = (int)syscall(SYS_ftruncate, file, length);
    if (result == 0 && path_of(file, path)) note("cut", length, path, NULL);
    return result;
}

int ftruncate64(int file, off64_t length) { return ftruncate(file, length); }

int truncate(const char *name, off_t length) {
    char path[PATH_MAX];
    int result = (int)syscall(SYS_truncate, name, length);
    if (result == 0 && realpath(name, path)) note("cut", length, path, NULL);
    return result;
}

int truncate64(const char *name, off64_t length) { return truncate(name, length); }

int unlink(const char *name) {
    char path[PATH_MAX];
    int known = realpath(name, path) != NULL;
    int result = unlinkat(AT_FDCWD, name, 0);
    if (result == 0 && known) note("gone", 0, path, NULL);
    return result;
}

int rename(const char *from, const char *to) {
    char old[PATH_MAX], new[PATH_MAX];
    int known = realpath(from, old) != NULL;
    int result = renameat(AT_FDCWD, from, AT_FDCWD, to);
    if (result == 0 && known && realpath(to, new)) note("move", 0, old, new);
    return result;
}
