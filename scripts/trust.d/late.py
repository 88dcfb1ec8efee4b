"""A file system of our own that shows a folder, and for a while denies files that it lists.

It speaks the kernel's FUSE protocol itself (version 7.31, little-endian), read-only and as much of it as reading a
flat folder takes.
"""

import contextlib
import ctypes
import errno
import os
import stat
import struct
import threading

from catalogue import Skipped
from lab import unmount

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE, INIT, OPENDIR, READDIR, RELEASEDIR = (
    1, 2, 3, 14, 15, 17, 18, 26, 27, 28, 29)
BATCH_FORGET, FLUSH, INTERRUPT = 42, 25, 36
_ROOT = 1


@contextlib.contextmanager
def mounted(source, target):
    """Shows `source` at `target`; names in the list that is given are denied, though listed."""
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError as failure:
        raise Skipped(f"needs /dev/fuse: {failure.strerror}") from None
    libc = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other"
    if libc.mount(b"late", target.encode(), b"fuse", 0, options.encode()) != 0:
        os.close(device)
        raise Skipped(f"needs FUSE: {os.strerror(ctypes.get_errno())}")
    hidden = []
    server = threading.Thread(target=_serve, args=(device, source, hidden), daemon=True)
    server.start()
    try:
        yield hidden
    finally:
        unmount(target)
        server.join(5)
        os.close(device)


def _serve(device, source, hidden):
    names = {}  # by node number, the file's name
    while True:
        try:
            request = os.read(device, 1 << 17)
        except OSError as failure:
            if failure.errno in (errno.EINTR, errno.ENOENT):
                continue
            return  # Unmounted.
        _, operation, unique, node = struct.unpack_from("<IIQQ", request)
        body = request[40:]
        if operation in (FORGET, BATCH_FORGET, INTERRUPT):
            continue
        try:
            answer, code = _answer(operation, node, body, source, names, hidden), 0
        except OSError as failure:
            answer, code = b"", -failure.errno
        with contextlib.suppress(OSError):
            os.write(device, struct.pack("<IiQ", 16 + len(answer), code, unique) + answer)


def _answer(operation, node, body, source, names, hidden):
    path = f"{source}/{names[node]}" if node in names else source
    if operation == INIT:
        return struct.pack("<IIIIHHIIHHI", 7, 31, 0, 0, 12, 10, 1 << 16, 1, 32, 0, 0) + bytes(28)
    if operation == LOOKUP:
        name = body[:-1].decode()
        if name in hidden:
            raise OSError(errno.ENOENT, "late")
        status = os.lstat(f"{source}/{name}")
        names[status.st_ino] = name
        return struct.pack("<QQQQII", status.st_ino, 0, 0, 0, 0, 0) + _attributes(status)
    if operation == GETATTR:
        return struct.pack("<QII", 0, 0, 0) + _attributes(os.lstat(path), node)
    if operation in (OPEN, OPENDIR):
        return struct.pack("<QII", 0, 0, 0)
    if operation == READ:
        _, offset, size = struct.unpack_from("<QQI", body)
        with open(path, "rb") as file:
            return os.pread(file.fileno(), size, offset)
    if operation == READDIR:
        _, offset, size = struct.unpack_from("<QQI", body)
        return _listing(source, offset, size)
    if operation == STATFS:
        return struct.pack("<QQQQQIIII", 0, 0, 0, 0, 0, 512, 255, 512, 0) + bytes(24)
    if operation in (RELEASE, RELEASEDIR, FLUSH):
        return b""
    raise OSError(errno.ENOSYS, "not here")


def _attributes(status, node=None):
    times = (status.st_atime_ns, status.st_mtime_ns, status.st_ctime_ns)
    return struct.pack(
        "<6Q10I", node or status.st_ino, status.st_size, status.st_blocks, *(time // 10**9 for time in times),
        *(time % 10**9 for time in times), status.st_mode, status.st_nlink, status.st_uid, status.st_gid, 0, 4096, 0)


def _listing(source, offset, size):
    entries = b""
    for number, name in enumerate(sorted(os.listdir(source))[offset:], offset + 1):
        raw = name.encode()
        entry = struct.pack("<QQII", os.lstat(f"{source}/{name}").st_ino, number, len(raw), stat.S_IFREG >> 12) + raw
        entry += bytes(-len(entry) % 8)
        if len(entries) + len(entry) > size:
            break
        entries += entry
    return entries
