"""Stopping a program at its system calls, to end it there, to make a call fail, or to look at the disk.

Only the program's own threads are counted, not what it starts, and they are counted together: the N-th call is the
N-th of the whole process. strace, which counts a thread at a time, never reaches the later calls of short threads.
Linux on x86-64.
"""

import ctypes
import errno
import os
import platform
import signal
import tempfile
import threading

from catalogue import Failed, Skipped
from project import TIMEOUT, Ended

CALLS = {
    "read": 0, "write": 1, "close": 3, "pread64": 17, "pwrite64": 18, "readv": 19, "writev": 20, "ioctl": 16,
    "sendfile": 40, "clone": 56, "fork": 57, "vfork": 58, "fcntl": 72, "flock": 73, "fsync": 74, "fdatasync": 75,
    "truncate": 76, "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86, "unlink": 87,
    "symlink": 88, "chmod": 90, "fchmod": 91, "statfs": 137, "fstatfs": 138, "open": 2, "openat": 257, "mkdirat": 258,
    "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266, "fchmodat": 268, "fallocate": 285,
    "pwritev": 296, "syncfs": 306, "renameat2": 316, "copy_file_range": 326, "clone3": 435, "openat2": 437,
    "exit_group": 231,
}
NAMES = {number: name for name, number in CALLS.items()}

FLUSHING = {"fsync", "fdatasync", "syncfs"}
WRITING = {"write", "pwrite64", "writev", "pwritev", "sendfile", "copy_file_range"}
READING = {"read", "pread64", "readv"}
NAMING = {
    "rename", "renameat", "renameat2", "link", "linkat", "unlink", "unlinkat", "rmdir", "mkdir", "mkdirat", "symlink",
    "symlinkat",
}
CHANGING = FLUSHING | WRITING | NAMING | {
    "truncate", "ftruncate", "fallocate", "chmod", "fchmod", "fchmodat", "creat", "open", "openat", "openat2", "flock",
    "clone", "clone3", "fork", "vfork", "exit_group",
}
"""Calls after which the disk, or what other processes see, may be another one."""

_WALL = 0x40000000
_TRACEME, _CONT, _POKEUSER, _SYSCALL, _SETOPTIONS, _SYSCALL_INFO = 0, 7, 6, 24, 0x4200, 0x420E
_OPTIONS = 0x01 | 0x08 | 0x10 | 0x00100000  # mark system calls, follow threads, tell of exec, die with the tracer
# Offsets in the registers of x86-64.
_RESULT, _NUMBER, _THIRD = 80, 120, 96


class _Info(ctypes.Structure):
    _fields_ = [
        ("op", ctypes.c_uint8), ("pad", ctypes.c_uint8 * 3), ("arch", ctypes.c_uint32), ("ip", ctypes.c_uint64),
        ("sp", ctypes.c_uint64), ("number", ctypes.c_uint64), ("arguments", ctypes.c_uint64 * 6),
    ]


_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def _ptrace(request, thread, address=0, data=0):
    if _libc.ptrace(request, thread, address, data) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace {request}")


class Kill:
    """End the process before the call is made, as `kill -9` does."""


class Error:
    """Fail the call with an error number; it is not made, unless it is a `close`."""

    def __init__(self, number):
        self.number = number


class Half:
    """Let the call transfer only half of its bytes, at least one."""


class Answer:
    """Let the call be made, then put other bytes where it put its answer."""

    def __init__(self, address, content):
        self.address = address
        self.content = content


class Call:
    """A system call of the traced process that is about to be made."""

    def __init__(self, process, thread, info, error):
        self.process = process
        self._error = error
        self.thread = thread
        self.name = NAMES.get(info.number, str(info.number))
        self.arguments = list(info.arguments)

    @property
    def file(self):
        """The path behind the call's first argument, where that is a descriptor."""
        try:
            return os.readlink(f"/proc/{self.process}/fd/{ctypes.c_int(self.arguments[0]).value}")
        except OSError:
            return ""

    @property
    def said(self):
        """What the command has printed for people so far."""
        return os.pread(self._error.fileno(), 1 << 24, 0).decode(errors="replace")

    @property
    def makes_file(self):
        """Whether an `open` may make or empty a file."""
        flags = {"open": 1, "openat": 2}.get(self.name)
        return flags is None or self.arguments[flags] & (os.O_CREAT | os.O_TRUNC) != 0

    @property
    def changes(self):
        return self.name in CHANGING and self.makes_file


def available():
    """Raises `Skipped` where this machine cannot trace."""
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        raise Skipped("needs Linux on x86-64")


def trace(project, *words, decide, timeout=TIMEOUT):
    """Runs a command of lemma and asks `decide(call)` before each of its system calls.

    decide: returns None, `Kill`, an `Error` or `Half`; the process stands still meanwhile.
    """
    available()
    arguments = project.words(*words)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        process = _start(arguments, project, out, error)
        watchdog = threading.Timer(timeout, os.kill, (process, signal.SIGKILL))
        watchdog.start()
        try:
            status = _follow(process, decide, error)
        finally:
            hung = not watchdog.is_alive()
            watchdog.cancel()
        if hung:
            raise Failed(f"'{' '.join(arguments[:2])}' hung for {timeout} s")
        return Ended(
            arguments, os.waitstatus_to_exitcode(status), os.pread(out.fileno(), 1 << 24, 0),
            os.pread(error.fileno(), 1 << 24, 0))


def _start(arguments, project, out, error):
    process = os.fork()
    if process:
        os.waitpid(process, _WALL)
        _ptrace(_SETOPTIONS, process, 0, _OPTIONS)
        _ptrace(_SYSCALL, process)
        return process
    try:
        os.setpgid(0, 0)
        os.chdir(project.folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out.fileno(), 1)
        os.dup2(error.fileno(), 2)
        _ptrace(_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        os.execve(arguments[0], arguments, project.environment())
    finally:
        os._exit(127)


def _follow(process, decide, error):
    """Goes from call to call until the process ends; returns its status."""
    info = _Info()
    pending = {}  # by thread, what to do when the call returns
    while True:
        # The process leads a group of its own, and what it starts is no child of ours.
        thread, status = os.waitpid(-process, _WALL)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            if thread == process:
                return status
            continue
        try:
            deliver = 0
            if os.WSTOPSIG(status) == signal.SIGTRAP | 0x80:
                _libc.ptrace(_SYSCALL_INFO, thread, ctypes.sizeof(info), ctypes.addressof(info))
                if info.op == 1:
                    action = decide(Call(process, thread, info, error))
                    if action is Kill:
                        os.kill(process, signal.SIGKILL)
                    elif action is not None:
                        pending[thread] = _alter(thread, action, info)
                elif thread in pending:
                    pending.pop(thread)()
            elif os.WSTOPSIG(status) not in (signal.SIGTRAP, signal.SIGSTOP):
                deliver = os.WSTOPSIG(status)
            _ptrace(_SYSCALL, thread, 0, deliver)
        except OSError as failure:
            if failure.errno != errno.ESRCH:
                raise


def _alter(thread, action, info):
    """Changes a call that is about to be made; returns what to do when it returns."""
    if isinstance(action, Answer):
        return lambda: _write_memory(thread, action.address, action.content)
    if action is Half:
        length = info.arguments[2]
        _ptrace(_POKEUSER, thread, _THIRD, max(1, length // 2))
        # A program may rely on its registers.
        return lambda: _ptrace(_POKEUSER, thread, _THIRD, length)
    # Linux closes a descriptor even when it then tells of an error.
    if NAMES.get(info.number) != "close":
        _ptrace(_POKEUSER, thread, _NUMBER, ctypes.c_uint64(-1).value)
    return lambda: _ptrace(_POKEUSER, thread, _RESULT, ctypes.c_uint64(-action.number).value)


def _write_memory(thread, address, content):
    with open(f"/proc/{thread}/mem", "r+b", buffering=0) as memory:
        memory.seek(address)
        memory.write(content)
