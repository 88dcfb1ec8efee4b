// System calls that Swift cannot import (variadic, macros) or that must run between fork and exec.
#pragma once

#include <stdint.h>
#include <sys/types.h>

// Empties a stage's folder but for its folders `in`, `out` and `tmp`, which are emptied and stay. Returns 0,
// or an errno when it cannot serve another stage: something is left, or one of the four is altered.
int lemma_clear_root(const char *path);

// Whether a file is as one that this process made anew with the permissions `mode`: a regular file of its
// user and group with one name, those permissions, and neither extended attributes nor access lists.
int lemma_is_like_new(const char *path, mode_t mode);

// The mask that the permissions of new files are taken from; 07777 where it cannot be told.
mode_t lemma_umask(void);

// Takes a read lease (fcntl F_SETLEASE), which the kernel refuses while anyone has the file open
// for writing or mapped writable. Returns 0, or an errno: EAGAIN when there is a writer.
int lemma_lease_read(int fd);
// Whether no writer came. A descriptor that is closed next gives its lease back by that.
int lemma_lease_is_whole(int fd);
// Gives the lease back. Returns 1 when a writer came and broke it in the meantime, else 0.
int lemma_lease_release(int fd);

// syncfs: flushes the whole file system that fd is on. Returns 0, or -1 with errno.
int lemma_sync_file_system(int fd);

// Locks one byte of a file, there or not, for this open file description alone. Returns 0 or errno.
int lemma_lock_byte(int fd, uint64_t offset);

// A pipe whose both ends are closed in children. Returns 0, or -1 with errno.
int lemma_pipe(int ends[2]);

// A file without a name, in memory, closed in children. Returns its descriptor, or -1 with errno.
int lemma_memory_file(const char *name);

// Copies a file's extents by reference (FICLONE). Returns 0 or an errno when the file system cannot.
int lemma_reflink(int from_fd, int to_fd);

// How to start a program.
struct lemma_launch {
  const char *path;
  char *const *argv;
  char *const *envp;
  const char *folder;    // its working directory
  int log_fd;            // both of its outputs
  int input_fd;          // its standard input; -1 for /dev/null
  int reply_fd;          // its descriptor 3; -1 for none
  int ruleset_fd;        // of Landlock; -1 for none
  int denies_network;    // with a ruleset: no sockets but local ones
  int dies_with_parent;  // it ends when the thread that started it does
  uint64_t mark;         // carried by it and all that it starts; 0 for none
};

// Starts the program in a process group of its own with default signals and an empty signal mask.
// Returns 0, the pid and a descriptor that becomes readable when it ends, or an errno.
int lemma_start(const struct lemma_launch *launch, pid_t *pid, int *descriptor);

// The same without ties to the caller, standard input from /dev/null. Returns 0 and the pid, or an errno.
int lemma_spawn(const char *path, char *const argv[], char *const envp[], const char *folder,
                int log_fd, pid_t *pid);

// Marks this process and all that it starts from now on; `mark` is from 1 to 2^63. Returns 0, or -1 with errno.
int lemma_set_mark(uint64_t mark);
// Ends every process whose mark is `mark` in the bits of `mask`, and waits for the end of each.
void lemma_end_marked(uint64_t mark, uint64_t mask);
// The same for one mark and processes no older than `first`: as cheap as there are few of them.
// Returns whether it is certain that none is left; not when somebody else's may be among them.
int lemma_end_marked_since(pid_t first, uint64_t mark);
// Asks every process with the mark, but for one, to end (SIGTERM).
void lemma_ask_marked(uint64_t mark, pid_t spared);
// Waits until standard input is at its end, then ends the marked; a byte on standard input calls it off.
void lemma_keep(uint64_t mark, uint64_t mask);

// The version of Landlock that the kernel has; 0 when it has none.
int lemma_landlock_abi(void);
// A set of rules that allow nothing yet. Returns its descriptor, or -1 with errno.
int lemma_landlock_create(int abi, int denies_network);
enum { LEMMA_READ = 0, LEMMA_USE = 1, LEMMA_WRITE = 2 };
// Allows a path and all below it: LEMMA_READ reading and executing, LEMMA_USE reading and writing what
// is there, LEMMA_WRITE everything. Returns 0 or an errno.
int lemma_landlock_allow(int ruleset_fd, int abi, const char *path, int access);
// Puts the calling process under the rules for good. Returns 0 or an errno.
int lemma_restrict(int ruleset_fd, int denies_network);

// Waits for a child and reaps it. Returns 0 or an errno.
int lemma_reap(pid_t pid, int *status);

// Waits for the child. Fills its exit status (or 128 + signal), peak memory (KiB) and CPU time
// (microseconds). Then ends what is left of its process group. Returns 0 or an errno.
int lemma_wait(pid_t pid, int *status, int64_t *peak_kib, int64_t *cpu_us);

// Columns of the terminal behind fd; 80 when it does not tell.
int lemma_terminal_width(int fd);

// This boot's id, 36 characters and a zero, or an empty string.
void lemma_boot_id(char out[37]);

// The number of the file system that path is on (f_type of statfs), or 0 when it does not tell.
uint32_t lemma_file_system_type(const char *path);
