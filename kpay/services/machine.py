"""What this machine is: its free cores, and whatever makes an answer about its graphics card stale."""

from __future__ import annotations

import hashlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path("/")
DRIVERS: Final = (
    "etc/OpenCL/vendors/*",
    "proc/driver/nvidia/version",
    "sys/module/amdgpu/version",
    "usr/lib/*/libOpenCL.so*",
    "usr/lib/*/libcuda.so*",
    "usr/lib*/libOpenCL.so*",
    "usr/lib*/libcuda.so*",
)


def free_cores(root: Path = ROOT) -> int:
    """Return how many cores are worth a thread: physical ones, within what this process may use."""
    allowed = set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else set()
    logical = len(allowed) or os.cpu_count() or 1
    bounds = [logical, _physical(root, allowed), _quota(root)]
    return max(1, min(bound for bound in bounds if bound))


def _physical(root: Path, allowed: set[int]) -> int:
    """Return how many different cores the allowed processors are; 0 where the system does not say."""
    siblings = set()
    for processor in allowed:
        path = root / f"sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list"
        siblings.add(_text(path))
    return 0 if "" in siblings else len(siblings)


def _quota(root: Path) -> int:
    """Return the whole cores that a container may use; 0 without a limit."""
    quota, _, period = _text(root / "sys/fs/cgroup/cpu.max").partition(" ")
    if not quota:
        quota = _text(root / "sys/fs/cgroup/cpu/cpu.cfs_quota_us")
        period = _text(root / "sys/fs/cgroup/cpu/cpu.cfs_period_us")
    if not quota.isdecimal() or not period.isdecimal():
        return 0  # "max", or -1: no limit
    return max(1, int(quota) // max(1, int(period)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def card_fingerprint(root: Path = ROOT) -> str:
    """Return a digest of the host and of its graphics drivers' files."""
    seen = [platform.node(), platform.machine(), *_driver_files(root)]
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()[:16]


def _driver_files(root: Path) -> Iterator[str]:
    for pattern in DRIVERS:
        for path in sorted(root.glob(pattern)):
            try:
                found = path.stat()
            except OSError:
                continue
            yield f"{path} {found.st_size} {int(found.st_mtime)} {_short(path)}"


def _short(path: Path) -> str:
    """Return what a small text file says; what /proc shows has neither size nor age."""
    return _text(path) if "/proc/" in str(path) else ""
