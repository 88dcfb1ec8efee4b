// Starting a program: what must be done between the birth of the child and its first instruction.
#define _GNU_SOURCE
#include "lemma_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct birth {
  const struct lemma_launch *launch;
  pid_t parent;
  int code;  // the child's errno, in the memory that both share
};

static int born(struct birth *birth) {
  const struct lemma_launch *launch = birth->launch;
  setpgid(0, 0);
  for (int number = 1; number < 32; number++) {
    if (number != SIGKILL && number != SIGSTOP) signal(number, SIG_DFL);
  }
  if (launch->dies_with_parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
    if (getppid() != birth->parent) return ESRCH;  // it died before the line above
  }
  if (launch->mark && lemma_set_mark(launch->mark) != 0) return errno;
  if (chdir(launch->folder) != 0) return errno;
  int input = launch->input_fd >= 0 ? launch->input_fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input < 0 || dup2(input, 0) < 0) return errno;
  if (dup2(launch->log_fd, 1) < 0 || dup2(launch->log_fd, 2) < 0) return errno;
  int code = 0;
  if (launch->ruleset_fd >= 0) code = lemma_restrict(launch->ruleset_fd, launch->denies_network);
  if (code) return code;
  if (launch->reply_fd == 3) {
    if (fcntl(3, F_SETFD, 0) < 0) return errno;
  } else if (launch->reply_fd >= 0 && dup2(launch->reply_fd, 3) < 0) {
    return errno;
  }
  // What was opened without O_CLOEXEC; an older kernel lacks the call.
  syscall(SYS_close_range, launch->reply_fd >= 0 ? 4 : 3, ~0u, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(launch->path, launch->argv, launch->envp);
  return errno;
}

static int child(void *argument) {
  struct birth *birth = argument;
  birth->code = born(birth);
  _exit(127);
}

int lemma_start(const struct lemma_launch *launch, pid_t *pid, int *descriptor) {
  struct birth birth = {.launch = launch, .parent = getpid(), .code = 0};
  _Alignas(16) char stack[64 << 10];
  sigset_t all, before;
  sigfillset(&all);
  // No handler of ours may run in the child, which shares our memory until it starts its program.
  int code = pthread_sigmask(SIG_BLOCK, &all, &before);
  if (code) return code;
  int number = -1;
  *pid = clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &birth, &number);
  code = *pid < 0 ? errno : birth.code;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (*pid < 0) return code;
  if (code) {
    int status;
    while (lemma_reap(*pid, &status) == EINTR) continue;
    close(number);
    return code;
  }
  *descriptor = number;
  return 0;
}

int lemma_spawn(const char *path, char *const argv[], char *const envp[], const char *folder,
                int log_fd, pid_t *pid) {
  struct lemma_launch launch = {.path = path, .argv = argv, .envp = envp, .folder = folder,
                                .log_fd = log_fd, .input_fd = -1, .reply_fd = -1, .ruleset_fd = -1};
  int descriptor;
  int code = lemma_start(&launch, pid, &descriptor);
  if (!code) close(descriptor);
  return code;
}
