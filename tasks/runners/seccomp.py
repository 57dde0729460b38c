"""A filter of system calls for what runs in a sandbox, as the program that the kernel takes.

It denies what a program has no use for there and what has let others out before: new namespaces, mounts, tracing, kernel keys, kernel programs,
io_uring, and sockets other than those of a process with itself. https://docs.kernel.org/userspace-api/seccomp_filter.html
"""

from __future__ import annotations

import errno
import platform
import struct

# numbers: https://github.com/torvalds/linux/blob/master/arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h
_X86 = {
    "ptrace": 101, "syslog": 103, "personality": 135, "pivot_root": 155, "chroot": 161, "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168,
    "reboot": 169, "init_module": 175, "delete_module": 176, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272,
    "perf_event_open": 298, "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "finit_module": 313,
    "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432, "mount_setattr": 442,
}  # fmt: skip
_ARM = {
    "umount2": 39, "mount": 40, "pivot_root": 41, "chroot": 51, "personality": 92, "unshare": 97, "kexec_load": 104, "init_module": 105,
    "delete_module": 106, "syslog": 116, "ptrace": 117, "reboot": 142, "add_key": 217, "request_key": 218, "keyctl": 219, "swapon": 224,
    "swapoff": 225, "perf_event_open": 241, "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271,
    "finit_module": 273, "bpf": 280, "userfaultfd": 282, "kexec_file_load": 294, "io_uring_setup": 425, "io_uring_enter": 426,
    "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432, "mount_setattr": 442,
}  # fmt: skip
_MACHINES = {  # name: (AUDIT_ARCH, denied, clone, clone3, socket, prlimit64)
    "x86_64": (0xC000003E, _X86, 56, 435, 41, 302),
    "aarch64": (0xC00000B7, _ARM, 220, 435, 198, 261),
}
CLONE_NEW = 0x7E020080  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET and NEWTIME
AF_UNIX, AF_INET, AF_INET6, AF_NETLINK = 1, 2, 10, 16
X32 = 0x40000000

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_KILL, _ALLOW, _ERROR = 0x80000000, 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16


def program(machine: str = "") -> bytes | None:
    """The filter for this kind of machine; None where we have none for it."""
    known = _MACHINES.get(machine or platform.machine())
    if known is None:
        return None
    architecture, denied, clone, clone3, socket, prlimit = known
    code = [_op(_LOAD, _ARCHITECTURE), _op(_JUMP_EQUAL, architecture, 1, 0), _op(_RETURN, _KILL), _op(_LOAD, _NUMBER)]
    code += [_op(_JUMP_AT_LEAST, X32, 0, 1), _op(_RETURN, _KILL)]
    # clone3's flags lie in memory, where a filter cannot look: glibc takes clone instead when the call is not there
    code += [_op(_JUMP_EQUAL, clone3, 0, 1), _op(_RETURN, _ERROR | errno.ENOSYS)]
    for number in sorted(denied.values()):
        code += [_op(_JUMP_EQUAL, number, 0, 1), _op(_RETURN, _ERROR | errno.EPERM)]
    # limits of another process: the first one of a sandbox has the same user, and would end by them
    code += [_op(_JUMP_EQUAL, prlimit, 0, 4), _op(_LOAD, _FIRST_ARGUMENT), _op(_JUMP_EQUAL, 0, 1, 0), _op(_RETURN, _ERROR | errno.EPERM)]
    code += [_op(_RETURN, _ALLOW)]
    code += [_op(_JUMP_EQUAL, clone, 0, 4), _op(_LOAD, _FIRST_ARGUMENT), _op(_JUMP_SET, CLONE_NEW, 0, 1), _op(_RETURN, _ERROR | errno.EPERM)]
    code += [_op(_RETURN, _ALLOW), _op(_JUMP_EQUAL, socket, 0, 6), _op(_LOAD, _FIRST_ARGUMENT)]
    families = (AF_UNIX, AF_INET, AF_INET6, AF_NETLINK)
    code += [_op(_JUMP_EQUAL, family, len(families) - index, 0) for index, family in enumerate(families)]
    code += [_op(_RETURN, _ERROR | errno.EAFNOSUPPORT), _op(_RETURN, _ALLOW)]
    return b"".join(code)


def _op(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    """One instruction (struct sock_filter): what to do, on true and on false how many instructions to skip, and its operand."""
    return struct.pack("=HBBI", code, when_true, when_false, value)
