// Making a stage's folder fit for another stage.
#define _GNU_SOURCE
#include "lemma_files.h"
#include "lemma_linux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

// Opens a folder if it is as it was made: no link, and with the permissions that its owner needs.
static DIR *open_plain(const char *path, int *code) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  struct stat status;
  *code = fd < 0 || fstat(fd, &status) != 0 ? errno : (status.st_mode & 07700) != 0700 ? EPERM : 0;
  DIR *entries = *code ? NULL : fdopendir(fd);
  if (!entries) {
    if (!*code) *code = errno;
    if (fd >= 0) close(fd);
  }
  return entries;
}

static int clear(const char *path, int keeps) {
  int code;
  DIR *entries = open_plain(path, &code);
  if (!entries) return code;
  int kept = 0;
  for (struct dirent *entry; code == 0 && (entry = readdir(entries));) {
    const char *name = entry->d_name;
    if (!strcmp(name, ".") || !strcmp(name, "..")) continue;
    char inner[PATH_MAX];
    if ((size_t)snprintf(inner, sizeof inner, "%s/%s", path, name) >= sizeof inner) {
      code = ENAMETOOLONG;
    } else if (keeps && (!strcmp(name, "in") || !strcmp(name, "out") || !strcmp(name, "tmp"))) {
      kept++;
      code = clear(inner, 0);
    } else if (unlinkat(dirfd(entries), name, 0) != 0) {
      code = lemma_remove_tree(inner);
    }
  }
  closedir(entries);
  return code ? code : keeps && kept != 3 ? ENOENT : 0;
}

int lemma_clear_root(const char *path) { return clear(path, 1); }

int lemma_is_like_new(const char *path, mode_t mode) {
  struct stat status;
  return lstat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1 &&
         (status.st_mode & 07777) == mode && status.st_uid == geteuid() && status.st_gid == getegid() &&
         llistxattr(path, NULL, 0) <= 0;
}

mode_t lemma_umask(void) {
  // umask(2) tells only what it replaces, and another thread may be making a file.
  char text[4096];
  int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  text[length > 0 ? length : 0] = 0;
  const char *line = strstr(text, "\nUmask:");
  return line ? (mode_t)strtol(line + 7, NULL, 8) : 07777;
}
