// System calls on folders and files in bulk: what the store does a hundred thousand times over.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Removes a file, or a folder and all in it, never following a symbolic link. Folders without
// write permission are made writable first. Needs few descriptors and no deep stack, however deep
// the folder is. Returns 0 (also when nothing was there) or an errno.
int lemma_remove_tree(const char *path);

// Opens `path`, relative to `folder`, following no symbolic link on the way or at the end and never
// leaving the folder; longer than the system's limit on a path is no problem. An empty path is the
// folder itself. Returns a descriptor, or -1 with errno.
int lemma_open_beneath(int folder, const char *path, int flags);

// The names in a folder, one after the other, each with a zero behind it; `types` are those of
// readdir, which may be DT_UNKNOWN. Without "." and "..", in no order.
struct lemma_names {
  char *bytes;
  size_t size;
  uint32_t *offsets;
  uint8_t *types;
  size_t count;
};
// Fills `names`, to be freed with lemma_names_free. Returns 0 or an errno.
int lemma_names_read(int folder, struct lemma_names *names);
void lemma_names_free(struct lemma_names *names);

enum {
  LEMMA_ENTRY_UNKNOWN = 0,
  LEMMA_ENTRY_FILE = 1,
  LEMMA_ENTRY_EXECUTABLE = 2,
  LEMMA_ENTRY_FOLDER = 3,
  LEMMA_ENTRY_LINK = 4,
  LEMMA_ENTRY_SPECIAL = 5,
};

// One entry of a folder with what it was found to be. It is written to disk as it is, 104 bytes.
struct lemma_entry {
  uint64_t device, inode;
  int64_t size, modified, changed;  // bytes, nanoseconds, nanoseconds
  uint64_t high, low;               // XXH3-128
  uint8_t seal[32];                 // SHA-256
  uint32_t name;                    // in the names beside it, which end with a zero each
  uint32_t target;                  // of a link: its text, in the names; of a folder: its number
  uint16_t name_length, target_length;
  uint8_t kind;
  uint8_t was;                      // the kind that it had when its names were computed
  uint8_t settled;                  // whether equal times mean equal bytes from now on
  uint8_t unused;
};

// Compares `count` entries with the file system, by fstatat in `folder`, folders excepted. Entries
// that are as they were keep what they hold; of the others times, size and kind are written anew,
// `settled` is cleared and their number goes into `changed`, which has room for `count`.
// Returns 0 with *changed_count, or an errno with *changed_count as the number of the entry.
int lemma_entries_compare(int folder, const char *names, struct lemma_entry *entries, uint32_t count,
                          uint32_t *changed, uint32_t *changed_count);

// Reads a whole small regular file under a read lease, into `entry` its times and size.
// Returns 0, or an errno: EFBIG when it is longer than `capacity`, EINVAL when it is no regular
// file, ESTALE when it changed meanwhile. `*quiet` tells that nobody had it open for writing.
int lemma_read_small(int folder, const char *name, void *buffer, size_t capacity, size_t *count,
                     struct lemma_entry *entry, int *quiet);

// Makes writes to a file go past the page cache, or not any more: open(2), O_DIRECT. Returns 0 or an errno.
int lemma_set_direct(int fd, int is_direct);

// Asks the kernel to begin writing a range of a file to the disk, without waiting.
void lemma_begin_writeback(int fd, int64_t offset, int64_t length);

// One folder of a census; its entries are `count` from `first` on. It is written to disk as it is.
struct lemma_folder {
  uint64_t device, inode;
  int64_t modified, changed;  // nanoseconds
  uint32_t first, count;
  uint64_t settled;
};
