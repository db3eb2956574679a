/*
 * Makes calls that write below a folder fail, for a program that is started with this library preloaded. Calls are counted:
 * from number FAIL_FROM on, FAIL_TIMES of them fail with the error FAIL_ERRNO. FAIL_CALLS names those that count: `write` (what
 * changes something), `sync`, or `all`. While the file FAIL_SWITCH is there, counting is on; without the variable it always is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static long count;

static int below(const char *path) {
  const char *folder = getenv("FAIL_FOLDER");
  return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int below_fd(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return below(path);
}

static int fails(int is_sync) {
  const char *calls = getenv("FAIL_CALLS"), *on = getenv("FAIL_SWITCH");
  if (calls && strcmp(calls, is_sync ? "write" : "sync") == 0) return 0;
  if (on && access(on, F_OK) != 0) return 0;
  long from = atol(getenv("FAIL_FROM") ?: "0"), times = atol(getenv("FAIL_TIMES") ?: "1");
  long now = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
  if (from <= 0 || now < from || now >= from + times) return 0;
  errno = atoi(getenv("FAIL_ERRNO") ?: "5");
  return 1;
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                                                                  \
  int name(const char *path, int flags, ...) {                                                      \
    va_list args;                                                                                   \
    va_start(args, flags);                                                                          \
    mode_t mode = va_arg(args, mode_t);                                                             \
    va_end(args);                                                                                   \
    if ((flags & (O_WRONLY | O_RDWR | O_CREAT)) && below(path) && fails(0)) return -1;              \
    return NEXT(name)(path, flags, mode);                                                           \
  }
OPEN(open)
OPEN(open64)

#define ON_FD(type, name, is_sync, parameters, arguments)                                           \
  type name parameters {                                                                            \
    if (below_fd(fd) && fails(is_sync)) return -1;                                                  \
    return NEXT(name) arguments;                                                                    \
  }
ON_FD(ssize_t, write, 0, (int fd, const void *b, size_t n), (fd, b, n))
ON_FD(ssize_t, pwrite, 0, (int fd, const void *b, size_t n, off_t at), (fd, b, n, at))
ON_FD(ssize_t, pwrite64, 0, (int fd, const void *b, size_t n, off64_t at), (fd, b, n, at))
ON_FD(ssize_t, writev, 0, (int fd, const struct iovec *v, int n), (fd, v, n))
ON_FD(ssize_t, pwritev, 0, (int fd, const struct iovec *v, int n, off_t at), (fd, v, n, at))
ON_FD(ssize_t, pwritev64, 0, (int fd, const struct iovec *v, int n, off64_t at), (fd, v, n, at))
ON_FD(int, ftruncate, 0, (int fd, off_t n), (fd, n))
ON_FD(int, ftruncate64, 0, (int fd, off64_t n), (fd, n))
ON_FD(int, fchmod, 0, (int fd, mode_t m), (fd, m))
ON_FD(int, fchown, 0, (int fd, uid_t u, gid_t g), (fd, u, g))
ON_FD(int, fsync, 1, (int fd), (fd))
ON_FD(int, fdatasync, 1, (int fd), (fd))

#define ON_PATH(name, parameters, arguments)                                                        \
  int name parameters {                                                                             \
    if (below(path) && fails(0)) return -1;                                                         \
    return NEXT(name) arguments;                                                                    \
  }
ON_PATH(mkdir, (const char *path, mode_t m), (path, m))
ON_PATH(chmod, (const char *path, mode_t m), (path, m))
ON_PATH(unlink, (const char *path), (path))
ON_PATH(rename, (const char *path, const char *to), (path, to))

__attribute__((destructor)) static void tell(void) {
  const char *file = getenv("FAIL_COUNT_FILE");
  FILE *out = file ? fopen(file, "w") : NULL;
  if (out) fprintf(out, "%ld\n", count), fclose(out);
}
