// Landlock and a seccomp filter: the second-best sandbox, which needs no privilege and no program.
// The numbers are the kernel's; Debian's headers are older than some of them.
#define _GNU_SOURCE
#include "lemma_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { create_ruleset = 444, add_rule = 445, restrict_self = 446 };

enum {
  execute = 1 << 0, write_file = 1 << 1, read_file = 1 << 2, read_dir = 1 << 3,
  every_access_1 = (1 << 13) - 1,
  refer = 1 << 13,     // ABI 2
  truncate_ = 1 << 14  // ABI 3
};
enum { bind_tcp = 1 << 0, connect_tcp = 1 << 1 };  // ABI 4
enum { scope_signal = 1 << 1 };                    // ABI 6

struct ruleset {
  uint64_t files, network, scoped;
};
struct __attribute__((packed)) path_rule {
  uint64_t allowed;
  int32_t parent;
};

int lemma_landlock_abi(void) {
  long abi = syscall(create_ruleset, NULL, 0, 1);
  return abi < 0 ? 0 : (int)abi;
}

static uint64_t handled_files(int abi) {
  return every_access_1 | (abi >= 2 ? refer : 0) | (abi >= 3 ? truncate_ : 0);
}

int lemma_landlock_create(int abi, int denies_network) {
  struct ruleset rules = {.files = handled_files(abi)};
  if (denies_network && abi >= 4) rules.network = bind_tcp | connect_tcp;
  if (abi >= 6) rules.scoped = scope_signal;
  size_t size = abi >= 6 ? sizeof rules : abi >= 4 ? offsetof(struct ruleset, scoped) : offsetof(struct ruleset, network);
  return (int)syscall(create_ruleset, &rules, size, 0);
}

int lemma_landlock_allow(int ruleset_fd, int abi, const char *path, int access) {
  int fd = open(path, O_PATH | O_CLOEXEC);
  if (fd < 0) return errno;
  struct stat status;
  int code = fstat(fd, &status) != 0 ? errno : 0;
  uint64_t allowed = access == LEMMA_READ ? execute | read_file | read_dir
                     : access == LEMMA_USE ? read_file | write_file | read_dir
                                           : handled_files(abi);
  // A rule for a file may not speak of folders.
  if (!S_ISDIR(status.st_mode)) allowed &= execute | write_file | read_file | truncate_;
  struct path_rule rule = {.allowed = allowed & handled_files(abi), .parent = fd};
  if (!code && syscall(add_rule, ruleset_fd, 1, &rule, 0) != 0) code = errno;
  close(fd);
  return code;
}

#if defined(__x86_64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "this platform has no name yet"
#endif

// Landlock knows TCP alone. Without sockets of the network's families there is no UDP either.
static int deny_sockets(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCHITECTURE, 0, 6),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 4),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ? 0 : errno;
}

int lemma_restrict(int ruleset_fd, int denies_network) {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  if (syscall(restrict_self, ruleset_fd, 0) != 0) return errno;
  return denies_network ? deny_sockets() : 0;
}
