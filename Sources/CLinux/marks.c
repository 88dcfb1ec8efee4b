// A mark that a process and all that it ever starts carry, whatever else they shed: the soft limit
// of real-time CPU time. At 2^62 us it limits nothing, few programs know it, and anybody of the same
// user may read it (prlimit). Sessions, groups, parents and environments can all be left; this stays.
#define _GNU_SOURCE
#include "lemma_linux.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int lemma_set_mark(uint64_t mark) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_RTTIME, &limit) != 0) return -1;
  // A system that does limit this keeps its limit: better unmarked than unlimited.
  if (limit.rlim_max != RLIM_INFINITY) return 0;
  limit.rlim_cur = mark;
  return setrlimit(RLIMIT_RTTIME, &limit);
}

// Signals the process if it carries the mark, and waits for its death if that is the signal's purpose.
// Returns whether it carried it; -1 when that cannot be told.
static int signal_marked(pid_t pid, uint64_t mark, uint64_t mask, int number) {
  struct rlimit limit;
  if (prlimit(pid, RLIMIT_RTTIME, NULL, &limit) != 0) return errno == ESRCH ? 0 : -1;
  if (limit.rlim_cur == RLIM_INFINITY || (limit.rlim_cur & mask) != mark) return 0;
  int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);
  // Gone, or a thread, whose process is found as well; else it cannot be told.
  if (descriptor < 0) return errno == ESRCH || errno == EINVAL || errno == ENOENT ? 0 : -1;
  struct pollfd event = {.fd = descriptor, .events = POLLIN};
  int lived = poll(&event, 1, 0) == 0;  // else it is dead already and waits for its parent
  if (lived) {
    // The descriptor, not the number: that may belong to a stranger by now.
    syscall(SYS_pidfd_send_signal, descriptor, number, NULL, 0);
    if (number == SIGKILL) poll(&event, 1, 1000);
  }
  close(descriptor);
  return lived;
}

// The number that the newest process of this system was given; 0 when it is not told.
static long newest(void) {
  char text[128];
  int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return 0;
  text[length] = 0;
  char *last = strrchr(text, ' ');
  return last ? strtol(last, NULL, 10) : 0;
}

static int signal_all(uint64_t mark, uint64_t mask, int number, pid_t spared) {
  DIR *processes = opendir("/proc");
  if (!processes) return 0;
  int found = 0;
  for (struct dirent *entry; (entry = readdir(processes));) {
    long pid = strtol(entry->d_name, NULL, 10);
    if (pid > 0 && pid != getpid() && pid != spared) found |= signal_marked((pid_t)pid, mark, mask, number) > 0;
  }
  closedir(processes);
  return found;
}

void lemma_end_marked(uint64_t mark, uint64_t mask) {
  // A process may start another while it is being looked for.
  for (int round = 0; round < 1000 && signal_all(mark, mask, SIGKILL, 0); round++) continue;
}

void lemma_ask_marked(uint64_t mark, pid_t spared) { signal_all(mark, ~0ull, SIGTERM, spared); }

int lemma_end_marked_since(pid_t first, uint64_t mark) {
  // Numbers are given in turn, so that a stage's processes have those between its first and the newest.
  enum { limit = 4096 };
  struct rlimit own;
  // Where marks cannot be set, nobody can be told from a stranger.
  int unknown = getrlimit(RLIMIT_RTTIME, &own) != 0 || own.rlim_max != RLIM_INFINITY;
  long from = first;
  for (int round = 0; round < 1000; round++) {
    long to = newest();
    if (to < first || to - first > limit) {
      lemma_end_marked(mark, ~0ull);
      return 0;
    }
    // Nobody was born since the last look, which found nobody.
    if (to < from) return !unknown;
    int found = 0;
    for (long pid = from; pid <= to; pid++) {
      int answer = signal_marked((pid_t)pid, mark, ~0ull, SIGKILL);
      found |= answer > 0;
      unknown |= answer < 0;
    }
    from = found ? first : to + 1;
  }
  return 0;
}

void lemma_keep(uint64_t mark, uint64_t mask) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_RTTIME, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;  // an outer warden must not end this one before its work is done
    setrlimit(RLIMIT_RTTIME, &limit);
  }
  for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
  char byte;
  ssize_t got;
  while ((got = read(0, &byte, 1)) < 0 && errno == EINTR) continue;
  if (got == 0) lemma_end_marked(mark, mask);
}
