#define _GNU_SOURCE
#include "lemma_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

// A broken lease is announced by SIGIO, which would end the process. The state is read back instead. A handler, unlike
// an ignored signal, is not passed on to the programs that are started.
static void take_no_notice(int signal) { (void)signal; }

static void handle_announcements(void) {
  struct sigaction action = {.sa_handler = take_no_notice, .sa_flags = SA_RESTART};
  sigaction(SIGIO, &action, NULL);
}

int lemma_lease_read(int fd) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, handle_announcements);
  return fcntl(fd, F_SETLEASE, F_RDLCK) == 0 ? 0 : errno;
}

int lemma_lease_is_whole(int fd) { return fcntl(fd, F_GETLEASE) == F_RDLCK; }

int lemma_lease_release(int fd) {
  int broken = !lemma_lease_is_whole(fd);
  fcntl(fd, F_SETLEASE, F_UNLCK);
  return broken;
}

int lemma_lock_byte(int fd, uint64_t offset) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)offset, .l_len = 1};
  return fcntl(fd, F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

int lemma_sync_file_system(int fd) { return syncfs(fd); }

int lemma_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int lemma_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int lemma_reflink(int from_fd, int to_fd) { return ioctl(to_fd, FICLONE, from_fd) == 0 ? 0 : errno; }

int lemma_wait(pid_t pid, int *status, int64_t *peak_kib, int64_t *cpu_us) {
  // Wait without reaping: while the leader is a zombie its group id cannot be reused, so the kill
  // of what it left behind cannot hit a stranger.
  siginfo_t info;
  while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0) {
    if (errno != EINTR) return errno;
  }
  kill(-pid, SIGKILL);
  int raw = 0;
  struct rusage usage;
  while (wait4(pid, &raw, 0, &usage) < 0) {
    if (errno != EINTR) return errno;
  }
  *status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
  *peak_kib = usage.ru_maxrss;
  *cpu_us = (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
            usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  return 0;
}

int lemma_reap(pid_t pid, int *status) { return waitpid(pid, status, 0) < 0 ? errno : 0; }

void lemma_boot_id(char out[37]) {
  memset(out, 0, 37);
  int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (read(fd, out, 36) != 36) out[0] = 0;
  close(fd);
}

int lemma_terminal_width(int fd) {
  struct winsize size;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

uint32_t lemma_file_system_type(const char *path) {
  struct statfs status;
  return statfs(path, &status) == 0 ? (uint32_t)status.f_type : 0;
}
