#pragma once

// Whether `path` leads, from the open folder and without a symbolic link on the way or at its end, to
// something inside it. Returns 0 or an errno: ELOOP for a link, EXDEV for a way out, ENOENT for nothing
// there, ENOSYS where the kernel is older than 5.6.
int lemma_stands_plainly_beneath(int folder, const char *path);
