// Making a stage's folder fit for another stage.
#define _GNU_SOURCE
#include "lemma_files.h"
#include "lemma_linux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
    } else if (keeps && (!strcmp(name, "out") || !strcmp(name, "tmp"))) {
      kept++;
      code = clear(inner, 0);
    } else if (unlinkat(dirfd(entries), name, 0) != 0) {
      code = lemma_remove_tree(inner);
    }
  }
  closedir(entries);
  return code ? code : keeps && kept != 2 ? ENOENT : 0;
}

int lemma_clear_root(const char *path) { return clear(path, 1); }
