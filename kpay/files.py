"""Writing files: whole or not at all, and for their owner only.

An OSError becomes a DiskProblem that names the file, so that no caller has to say it again.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kpay.errors import DiskProblem

OWNER_ONLY = 0o600
FOR_ANYONE = 0o666  # less what the umask takes away: pages that go on a web server
KEPT_OF_A_NAME = 60  # of 255 bytes: a character takes up to four, and an ending is added


@contextmanager
def disk_problems(path: Path) -> Iterator[None]:
    """Turn an OSError of the block into a DiskProblem about a file."""
    try:
        yield
    except OSError as error:
        look = "df -h" if path.parent.is_dir() else "ls -ld"
        raise DiskProblem(
            f"{path} cannot be written: {error.strerror or error}; nothing was half written",
            f"{look} {path.parent}",
            path=str(path),
        ) from error


@contextmanager
def replacing(path: Path, mode: int = OWNER_ONLY) -> Iterator[Path]:
    """Give a new empty file beside `path`, which takes its place when the block ends well.

    Raises DiskProblem, with nothing left behind, when either cannot be written.
    """
    part = path.with_name(f".{path.name[:KEPT_OF_A_NAME]}.{secrets.token_hex(4)}.part")
    with disk_problems(path):
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
        try:
            yield part
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def write_whole(
    path: Path, content: bytes, *, mode: int = OWNER_ONLY, is_durable: bool = False
) -> None:
    """Write a file that appears whole or not at all; DiskProblem when it cannot be.

    A durable one is on the disk itself before it takes its name.
    """
    with replacing(path, mode) as part, part.open("wb") as file:
        file.write(content)
        if is_durable:
            file.flush()
            os.fsync(file.fileno())


def write_new(path: Path, content: bytes) -> bool:
    """Write a file for its owner where there is none yet; return False where there is one.

    Raises DiskProblem, with nothing left behind, when it cannot be written.
    """
    with disk_problems(path):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
        except FileExistsError:
            return False
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return True


def lasting_key(path: Path) -> str:
    """Return the secret of a key file, made once; two runs that start together agree on one.

    Raises DiskProblem when it can be neither read nor made.
    """
    try:
        if not path.exists():
            _make_key(path)
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise DiskProblem(f"{path} cannot be used: {error.strerror}", f"ls -l {path}") from error


def _make_key(path: Path) -> None:
    """Write a whole file first and link it into place, so that nobody reads half a key."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    write_new(part, secrets.token_hex(32).encode())
    try:
        os.link(part, path)
    except FileExistsError:
        return  # another run was quicker
    finally:
        part.unlink()
