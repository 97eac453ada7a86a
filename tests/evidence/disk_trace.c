/* Records what a process writes below one folder, so that a test can lose any of it again.
 * Loaded with LD_PRELOAD. Environment: TRACE_ROOT (absolute folder), TRACE_FILE (where the record goes).
 * Records, host byte order: 'W' u32 name, u64 offset, u32 length, bytes | 'T' u32 name, u64 size | 'S' u32 name (file synced)
 * | 'D' u32 name (folder synced) | 'R' u32 old, u32 new (renamed) | 'U' u32 name (unlinked) | 'C' u32 name (created or truncated)
 * | 'M' u32 name (folder made) | 'A' u32 length, bytes (a promise: what the program wrote to its standard output)
 * | 'N' u32 id, u32 length, bytes (a name is given its id). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FDS 4096
#define NAMES 65536
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *names[NAMES];
static uint32_t count;
static int out = -1;
static uint32_t of_fd[FDS]; /* id + 1 of the file behind a descriptor, 0 when not ours */
static const char *root;
#define REAL(type, name, ...) static type (*real)(__VA_ARGS__); if (!real) real = dlsym(RTLD_NEXT, name)

static ssize_t raw_write(int fd, const void *bytes, size_t length) {
  REAL(ssize_t, "write", int, const void *, size_t);
  return real(fd, bytes, length);
}
static void put(const void *bytes, size_t length) {
  const char *at = bytes;
  while (length) {
    ssize_t done = raw_write(out, at, length);
    if (done <= 0) _exit(97);
    at += done;
    length -= (size_t)done;
  }
}
static void put32(uint32_t value) { put(&value, 4); }
static int ready(void) {
  if (out >= 0) return 1;
  const char *file = getenv("TRACE_FILE");
  root = getenv("TRACE_ROOT");
  if (!file || !root) return 0;
  int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, "open64");
  int fd = real(file, O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (fd < 0) return 0;
  out = fcntl(fd, F_DUPFD_CLOEXEC, 900);
  close(fd);
  return out >= 0;
}
static int absolute(const char *path, char *full) {
  if (path[0] == '/') snprintf(full, PATH_MAX, "%s", path);
  else {
    char here[PATH_MAX];
    if (!getcwd(here, sizeof here)) return 0;
    if (snprintf(full, PATH_MAX, "%s/%s", here, path) >= PATH_MAX) return 0;
  }
  size_t length = strlen(root);
  return strncmp(full, root, length) == 0 && (full[length] == '/' || full[length] == 0);
}
static uint32_t id_of(const char *full) { /* lock held */
  for (uint32_t at = 0; at < count; at++) if (strcmp(names[at], full) == 0) return at;
  if (count == NAMES) _exit(98);
  names[count] = strdup(full);
  put("N", 1); put32(count); put32((uint32_t)strlen(full)); put(full, strlen(full));
  return count++;
}
static void opened(int fd, const char *path, int flags, int existed) {
  char full[PATH_MAX];
  if (fd < 0 || fd >= FDS || !ready()) return;
  pthread_mutex_lock(&lock);
  of_fd[fd] = 0;
  if (absolute(path, full)) {
    uint32_t id = id_of(full);
    of_fd[fd] = id + 1;
    if ((flags & O_CREAT && !existed) || (flags & O_TRUNC)) { put("C", 1); put32(id); }
  }
  pthread_mutex_unlock(&lock);
}
static int there(const char *path) { struct stat s; return stat(path, &s) == 0; }
#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    va_list list; va_start(list, flags); mode_t mode = va_arg(list, mode_t); va_end(list); \
    REAL(int, #name, const char *, int, ...); \
    int existed = there(path), fd = real(path, flags, mode); \
    opened(fd, path, flags, existed); return fd; }
OPEN(open)
OPEN(open64)
static int mine(int fd) { return fd >= 0 && fd < FDS && of_fd[fd]; }
static void wrote(int fd, const void *bytes, ssize_t done, off_t offset) {
  if (done <= 0 || !mine(fd)) return;
  uint64_t at = (uint64_t)offset;
  pthread_mutex_lock(&lock);
  put("W", 1); put32(of_fd[fd] - 1); put(&at, 8); put32((uint32_t)done); put(bytes, (size_t)done);
  pthread_mutex_unlock(&lock);
}
#define PWRITE(name) \
  ssize_t name(int fd, const void *bytes, size_t length, off_t offset) { \
    REAL(ssize_t, #name, int, const void *, size_t, off_t); \
    ssize_t done = real(fd, bytes, length, offset); wrote(fd, bytes, done, offset); return done; }
PWRITE(pwrite)
PWRITE(pwrite64)
ssize_t write(int fd, const void *bytes, size_t length) {
  off_t offset = mine(fd) ? lseek(fd, 0, SEEK_CUR) : 0;
  ssize_t done = raw_write(fd, bytes, length);
  wrote(fd, bytes, done, offset);
  if (fd == 1 && done > 0 && ready()) {
    pthread_mutex_lock(&lock);
    put("A", 1); put32((uint32_t)done); put(bytes, (size_t)done);
    pthread_mutex_unlock(&lock);
  }
  return done;
}
static void record(const char *kind, uint32_t id) {
  pthread_mutex_lock(&lock); put(kind, 1); put32(id); pthread_mutex_unlock(&lock);
}
static void synced(int fd) {
  struct stat s;
  if (mine(fd) && fstat(fd, &s) == 0) record(S_ISDIR(s.st_mode) ? "D" : "S", of_fd[fd] - 1);
}
#define SYNC(name) int name(int fd) { REAL(int, #name, int); int done = real(fd); if (done == 0) synced(fd); return done; }
SYNC(fsync)
SYNC(fdatasync)
#define TRUNCATE(name) int name(int fd, off_t size) { \
  REAL(int, #name, int, off_t); int done = real(fd, size); \
  if (done == 0 && mine(fd)) { uint64_t at = (uint64_t)size; pthread_mutex_lock(&lock); \
    put("T", 1); put32(of_fd[fd] - 1); put(&at, 8); pthread_mutex_unlock(&lock); } return done; }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)
static void named(const char *kind, const char *path, const char *other) {
  char full[PATH_MAX], second[PATH_MAX];
  if (!ready()) return;
  int first = absolute(path, full), also = other && absolute(other, second);
  if (!first && !also) return;
  pthread_mutex_lock(&lock);
  uint32_t one = id_of(full), two = other ? id_of(second) : 0;
  put(kind, 1); put32(one);
  if (other) put32(two);
  pthread_mutex_unlock(&lock);
}
int rename(const char *path, const char *other) {
  REAL(int, "rename", const char *, const char *);
  int done = real(path, other);
  if (done == 0) named("R", path, other);
  return done;
}
int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  int done = real(path);
  if (done == 0) named("U", path, 0);
  return done;
}
int rmdir(const char *path) {
  REAL(int, "rmdir", const char *);
  int done = real(path);
  if (done == 0) named("U", path, 0);
  return done;
}
int mkdir(const char *path, mode_t mode) {
  REAL(int, "mkdir", const char *, mode_t);
  int done = real(path, mode);
  if (done == 0) named("M", path, 0);
  return done;
}
int close(int fd) {
  REAL(int, "close", int);
  if (fd >= 0 && fd < FDS) of_fd[fd] = 0;
  return real(fd);
}
