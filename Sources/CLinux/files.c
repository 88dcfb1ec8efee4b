#define _GNU_SOURCE
#include "lemma_files.h"
#include "lemma_linux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// --- Opening beneath a folder

static int open_step(int folder, const char *path, int flags) {
  struct open_how how = {
      .flags = (uint64_t)(flags | O_NOFOLLOW | O_CLOEXEC),
      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
  };
  for (;;) {
    int fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof how);
    // A rename somewhere above makes the kernel ask for another try.
    if (fd < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    return fd;
  }
}

// Part by part, for kernels and filters without openat2.
static int open_parts(int folder, char *path, int flags) {
  int current = folder;
  for (;;) {
    char *slash = strchr(path, '/');
    if (slash) *slash = 0;
    int fd = strcmp(path, "..") == 0
                 ? (errno = EXDEV, -1)
                 : openat(current, path, (slash ? O_PATH | O_DIRECTORY : flags) | O_NOFOLLOW | O_CLOEXEC);
    int code = errno;
    if (current != folder) close(current);
    errno = code;
    if (fd < 0 || !slash) return fd;
    current = fd;
    path = slash + 1;
  }
}

int lemma_open_beneath(int folder, const char *path, int flags) {
  if (!*path) return openat(folder, ".", flags | O_CLOEXEC);
  static int has_openat2 = 1;
  size_t length = strlen(path);
  if (__atomic_load_n(&has_openat2, __ATOMIC_RELAXED)) {
    int current = folder;
    char step[PATH_MAX];
    for (;;) {
      size_t size = length;
      if (size >= PATH_MAX) {
        for (size = PATH_MAX - 1; size > 0 && path[size] != '/';) size--;
        if (size == 0) {
          if (current != folder) close(current);
          errno = ENAMETOOLONG;
          return -1;
        }
      }
      memcpy(step, path, size);
      step[size] = 0;
      int is_last = size == length;
      int fd = open_step(current, step, is_last ? flags : O_PATH | O_DIRECTORY);
      int code = errno;
      if (current != folder) close(current);
      errno = code;
      if (fd < 0) break;
      if (is_last) return fd;
      current = fd;
      path += size + 1;
      length -= size + 1;
    }
    if (errno != ENOSYS && errno != EPERM) return -1;
    __atomic_store_n(&has_openat2, 0, __ATOMIC_RELAXED);
    return lemma_open_beneath(folder, path, flags);
  }
  char *copy = strdup(path);
  if (!copy) return -1;
  int fd = open_parts(folder, copy, flags);
  int code = errno;
  free(copy);
  errno = code;
  return fd;
}

// --- Listing

static int is_dots(const char *name) { return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])); }

struct kernel_entry {
  uint64_t inode;
  int64_t next;
  uint16_t length;
  uint8_t type;
  char name[];
};

static int grow(void **memory, size_t needed, size_t *room) {
  if (needed <= *room) return 0;
  size_t size = *room ? *room * 2 : 4096;
  while (size < needed) size *= 2;
  void *larger = realloc(*memory, size);
  if (!larger) return ENOMEM;
  *memory = larger;
  *room = size;
  return 0;
}

int lemma_names_read(int folder, struct lemma_names *names) {
  memset(names, 0, sizeof *names);
  size_t bytes_room = 0, offsets_room = 0, types_room = 0;
  size_t window = 1 << 17;
  char *buffer = malloc(window);
  int code = buffer ? 0 : ENOMEM;
  while (!code) {
    long got = syscall(SYS_getdents64, folder, buffer, window);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) code = errno;
    if (got <= 0) break;
    for (long at = 0; at < got && !code;) {
      struct kernel_entry *entry = (struct kernel_entry *)(buffer + at);
      at += entry->length;
      if (is_dots(entry->name)) continue;
      size_t length = strlen(entry->name) + 1;
      if (names->size + length > UINT32_MAX) code = EOVERFLOW;
      if (!code) code = grow((void **)&names->bytes, names->size + length, &bytes_room);
      if (!code) code = grow((void **)&names->offsets, (names->count + 1) * sizeof *names->offsets, &offsets_room);
      if (!code) code = grow((void **)&names->types, names->count + 1, &types_room);
      if (code) break;
      memcpy(names->bytes + names->size, entry->name, length);
      names->offsets[names->count] = (uint32_t)names->size;
      names->types[names->count] = entry->type;
      names->size += length;
      names->count++;
    }
  }
  free(buffer);
  if (code) lemma_names_free(names);
  return code;
}

void lemma_names_free(struct lemma_names *names) {
  free(names->bytes);
  free(names->offsets);
  free(names->types);
  memset(names, 0, sizeof *names);
}

// --- Stamps

static int64_t nanoseconds(struct timespec time) { return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec; }

static uint8_t kind_of(const struct stat *status) {
  switch (status->st_mode & S_IFMT) {
    case S_IFREG: return status->st_mode & S_IXUSR ? LEMMA_ENTRY_EXECUTABLE : LEMMA_ENTRY_FILE;
    case S_IFDIR: return LEMMA_ENTRY_FOLDER;
    case S_IFLNK: return LEMMA_ENTRY_LINK;
    default: return LEMMA_ENTRY_SPECIAL;
  }
}

static void take_stamp(struct lemma_entry *entry, const struct stat *status) {
  entry->device = status->st_dev;
  entry->inode = status->st_ino;
  entry->size = status->st_size;
  entry->modified = nanoseconds(status->st_mtim);
  entry->changed = nanoseconds(status->st_ctim);
}

int lemma_entries_compare(int folder, const char *names, struct lemma_entry *entries, uint32_t count,
                          uint32_t *changed, uint32_t *changed_count) {
  *changed_count = 0;
  for (uint32_t number = 0; number < count; number++) {
    struct lemma_entry *entry = &entries[number];
    if (entry->kind == LEMMA_ENTRY_FOLDER) continue;
    struct stat status;
    if (fstatat(folder, names + entry->name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
      *changed_count = number;
      return errno;
    }
    uint8_t kind = kind_of(&status);
    if (entry->settled && entry->kind == kind && entry->inode == status.st_ino && entry->device == status.st_dev &&
        entry->size == status.st_size && entry->modified == nanoseconds(status.st_mtim) &&
        entry->changed == nanoseconds(status.st_ctim)) {
      continue;
    }
    take_stamp(entry, &status);
    entry->kind = kind;
    entry->settled = 0;
    changed[(*changed_count)++] = number;
  }
  return 0;
}

static int same_stamp(const struct lemma_entry *entry, const struct stat *status) {
  return entry->device == status->st_dev && entry->inode == status->st_ino && entry->size == status->st_size &&
         entry->modified == nanoseconds(status->st_mtim) && entry->changed == nanoseconds(status->st_ctim);
}

int lemma_read_small(int folder, const char *name, void *buffer, size_t capacity, size_t *count,
                     struct lemma_entry *entry, int *quiet) {
  int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  // To note when a file was read is to write its inode, in a folder that was just touched for every file.
  int fd = openat(folder, name, flags | O_NOATIME);
  if (fd < 0 && errno == EPERM) fd = openat(folder, name, flags);  // Another user's file.
  if (fd < 0) return errno;
  // The lease is refused while anybody can write, even through a mapping that touches no time.
  // A file system that knows no leases is no reason for distrust.
  int lease = lemma_lease_read(fd);
  struct stat status;
  int code = fstat(fd, &status) == 0 ? 0 : errno;
  if (!code && !S_ISREG(status.st_mode)) code = EINVAL;
  if (!code && status.st_size > (off_t)capacity) code = EFBIG;
  size_t done = 0;
  while (!code) {
    ssize_t got = read(fd, (char *)buffer + done, capacity - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) code = errno;
    if (got <= 0) break;
    done += (size_t)got;
    if (done >= (size_t)status.st_size) break;
  }
  int broken = lease == 0 && !lemma_lease_is_whole(fd);
  if (!code) {
    take_stamp(entry, &status);
    entry->kind = kind_of(&status);
    if (lease != 0 || broken) {
      if (fstat(fd, &status) != 0) code = errno;
      else if (!same_stamp(entry, &status)) code = ESTALE;
    }
    if (!code && done != (size_t)entry->size) code = ESTALE;
  }
  *count = done;
  *quiet = lease != EAGAIN && !broken;
  close(fd);
  return code;
}

int lemma_set_direct(int fd, int is_direct) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, is_direct ? flags | O_DIRECT : flags & ~O_DIRECT) < 0) return errno;
  return 0;
}

void lemma_begin_writeback(int fd, int64_t offset, int64_t length) {
  // Only a hint: what matters is the fsync that follows.
  (void)sync_file_range(fd, offset, length, SYNC_FILE_RANGE_WRITE);
}

// --- Removing

// A folder on the way down. Only the lowest few are kept open: `entries` is NULL in the others,
// which are found again through "..".
struct level {
  DIR *entries;
  char *name;
  dev_t device;
  ino_t inode;
};

enum { OPEN_LEVELS = 16 };

struct removal {
  int base;
  struct level *levels;
  size_t depth, room;
};

static int enter(struct removal *removal, int parent, const char *name) {
  if (removal->depth == removal->room) {
    size_t room = removal->room ? removal->room * 2 : 64;
    struct level *larger = realloc(removal->levels, room * sizeof *larger);
    if (!larger) return ENOMEM;
    removal->levels = larger;
    removal->room = room;
  }
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == EACCES) {
    // An unreadable folder of our own: make it readable, unless it is a link by now.
    int path = openat(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (path >= 0) {
      char self[40];
      size_t at = sizeof "/proc/self/fd/" - 1;
      memcpy(self, "/proc/self/fd/", at);
      char digits[12];
      int length = 0;
      for (int rest = path; rest || !length; rest /= 10) digits[length++] = (char)('0' + rest % 10);
      while (length) self[at++] = digits[--length];
      self[at] = 0;
      chmod(self, 0700);
      close(path);
    }
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  }
  if (fd < 0) return errno;
  struct stat status;
  if (fstat(fd, &status) != 0) {
    int code = errno;
    close(fd);
    return code;
  }
  if ((status.st_mode & 0700) != 0700) fchmod(fd, 0700);  // a read-only folder would keep its entries
  DIR *entries = fdopendir(fd);
  char *copy = strdup(name);
  if (!entries || !copy) {
    if (entries) closedir(entries);
    else close(fd);
    free(copy);
    return ENOMEM;
  }
  removal->levels[removal->depth++] = (struct level){entries, copy, status.st_dev, status.st_ino};
  if (removal->depth > OPEN_LEVELS) {
    struct level *far = &removal->levels[removal->depth - 1 - OPEN_LEVELS];
    if (far->entries) closedir(far->entries);
    far->entries = NULL;
  }
  return 0;
}

// Leaves the lowest folder, which is empty, and removes it.
static int leave(struct removal *removal) {
  struct level *level = &removal->levels[removal->depth - 1];
  struct level *above = removal->depth > 1 ? level - 1 : NULL;
  int code = 0;
  if (above && !above->entries) {
    int fd = openat(dirfd(level->entries), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) code = errno;
    // The folder was moved away below us: what is above it now is none of ours.
    else if (status.st_dev != above->device || status.st_ino != above->inode) code = ESTALE;
    if (!code && !(above->entries = fdopendir(fd))) code = ENOMEM;
    if (code && fd >= 0) close(fd);
  }
  closedir(level->entries);
  level->entries = NULL;
  if (!code) {
    int parent = above ? dirfd(above->entries) : removal->base;
    if (unlinkat(parent, level->name, AT_REMOVEDIR) != 0 && errno != ENOENT) code = errno;
  }
  free(level->name);
  removal->depth--;
  return code;
}

int lemma_remove_tree(const char *path) {
  if (unlinkat(AT_FDCWD, path, 0) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR && errno != EPERM && errno != EACCES) return errno;
  int reason = errno;
  struct removal removal = {.base = AT_FDCWD};
  int code = enter(&removal, AT_FDCWD, path);
  if (code == ENOTDIR) code = reason;
  if (code == ENOENT) code = 0;
  while (!code && removal.depth) {
    DIR *entries = removal.levels[removal.depth - 1].entries;
    errno = 0;
    struct dirent *entry = readdir(entries);
    if (!entry) {
      code = errno ? errno : leave(&removal);
      continue;
    }
    if (is_dots(entry->d_name)) continue;
    if (unlinkat(dirfd(entries), entry->d_name, 0) == 0 || errno == ENOENT) continue;
    reason = errno;
    if (reason != EISDIR && reason != EPERM && reason != EACCES) {
      code = reason;
    } else {
      code = enter(&removal, dirfd(entries), entry->d_name);
      if (code == ENOTDIR) code = reason;
      if (code == ENOENT) code = 0;
    }
  }
  for (size_t depth = 0; depth < removal.depth; depth++) {
    if (removal.levels[depth].entries) closedir(removal.levels[depth].entries);
    free(removal.levels[depth].name);
  }
  free(removal.levels);
  return code;
}
