"""The process that becomes a check's program: bounds itself, takes its rights away, then runs the program.

The kernel keeps the bounds, whatever the program is. On Linux a system call filter refuses sockets (no network),
signals to other processes, and leaving the process group, by which everything the program started is killed.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

MIB = 1024 * 1024
CPU_SLACK_S = 5
"""Processor time past the wall time, for programs with threads; the parent's clock ends them before."""
CANNOT_CONFINE = 125
"""Exit code of a process that could not bound itself; it says why on standard error."""
CANNOT_RUN = 127

# Linux's numbers (asm/unistd.h): socket, setsid, setpgid, kill, ptrace; the last two are the same everywhere.
_CALLS = {"x86_64": (41, 112, 109, 62, 101, 424, 425), "aarch64": (198, 157, 154, 129, 117, 424, 425)}
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # AUDIT_ARCH_ of linux/audit.h
_LOAD_WORD, _IF_EQUAL, _IF_GREATER_OR_EQUAL, _RETURN = 0x20, 0x15, 0x35, 0x06  # linux/bpf_common.h
_NUMBER, _ARCHITECTURE = 0, 4  # offsets in struct seccomp_data
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO with EPERM
_X32 = 0x40000000  # set in the numbers of x86's 32-bit pointer calls
_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2  # linux/prctl.h, linux/seccomp.h


class _Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint)]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.POINTER(_Instruction))]


def run(time_s: str, memory_mb: str, file_bytes: str, *argv: str) -> int:
    """Become the program, confined; returns only where that is impossible."""
    try:
        _bound(int(float(time_s)) + 1, int(memory_mb) * MIB, int(file_bytes))
        if can_filter():
            _filter()
    except (OSError, ValueError, OverflowError) as error:
        print(f"the check could not be confined: {error}", file=sys.stderr)
        return CANNOT_CONFINE
    try:
        os.execvp(argv[0], argv)
    except OSError as error:
        print(f"{argv[0]} can't be run: {error.strerror}", file=sys.stderr)
    return CANNOT_RUN


def can_filter() -> bool:
    """Whether system calls can be refused on this machine; elsewhere a check has the user's network."""
    return sys.platform == "linux" and os.uname().machine in _CALLS


def _bound(time_s: int, memory: int, file_bytes: int) -> None:
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, time_s * (os.cpu_count() or 1) + CPU_SLACK_S)
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    if sys.platform == "linux":  # elsewhere the address space can't be bounded
        _limit(resource.RLIMIT_AS, memory)


def _limit(what: int, most: int) -> None:
    """Lower a limit; one that is lower already stays."""
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _filter() -> None:
    """Have the kernel refuse the calls, in this process and in all that it starts (seccomp(2)). Raises OSError."""
    machine = os.uname().machine
    refused = [(_IF_EQUAL, call) for call in _CALLS[machine]]
    if machine == "x86_64":
        refused.append((_IF_GREATER_OR_EQUAL, _X32))
    steps = [
        _Instruction(_LOAD_WORD, 0, 0, _ARCHITECTURE),
        _Instruction(_IF_EQUAL, 0, len(refused) + 2, _ARCHITECTURES[machine]),
        _Instruction(_LOAD_WORD, 0, 0, _NUMBER),
        *(_Instruction(test, len(refused) - place, 0, call) for place, (test, call) in enumerate(refused)),
        _Instruction(_RETURN, 0, 0, _ALLOW),
        _Instruction(_RETURN, 0, 0, _REFUSE),
    ]
    program = _Program(len(steps), (_Instruction * len(steps))(*steps))
    libc = ctypes.CDLL(None, use_errno=True)
    for call in ((_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0)):
        if libc.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
