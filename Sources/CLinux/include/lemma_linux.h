// System calls that Swift cannot import (variadic, macros) or that must run between fork and exec.
#pragma once

#include <stdint.h>
#include <sys/types.h>

// Takes a read lease (fcntl F_SETLEASE), which the kernel refuses while anyone has the file open
// for writing or mapped writable. Returns 0, or an errno: EAGAIN when there is a writer.
int lemma_lease_read(int fd);
// Gives the lease back. Returns 1 when a writer came and broke it in the meantime, else 0.
int lemma_lease_release(int fd);

// syncfs: flushes the whole file system that fd is on. Returns 0, or -1 with errno.
int lemma_sync_file_system(int fd);

// Copies a file's extents by reference (FICLONE). Returns 0 or an errno when the file system cannot.
int lemma_reflink(int from_fd, int to_fd);

// Starts argv[0] in a process group of its own with default signals, an empty signal mask, `folder`
// as its working directory, standard input from /dev/null and both outputs into log_fd.
// Returns 0 and the pid, or an errno.
int lemma_spawn(const char *path, char *const argv[], char *const envp[], const char *folder,
                int log_fd, pid_t *pid);

// A descriptor that becomes readable when the child ends (pidfd_open), or -1 with errno.
int lemma_process_descriptor(pid_t pid);

// Waits for the child. Fills its exit status (or 128 + signal), peak memory (KiB) and CPU time
// (microseconds). Then ends what is left of its process group. Returns 0 or an errno.
int lemma_wait(pid_t pid, int *status, int64_t *peak_kib, int64_t *cpu_us);

// Columns of the terminal behind fd; 80 when it does not tell.
int lemma_terminal_width(int fd);

// This boot's id, 36 characters and a zero, or an empty string.
void lemma_boot_id(char out[37]);
