"""Writing files: whole or not at all, for their owner only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kpay.errors import DiskProblem
from kpay.files import FOR_ANYONE, replacing, write_new, write_whole


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def interrupted_while_writing(path: Path) -> None:
    with replacing(path) as part:
        part.write_bytes(b"half")
        raise KeyboardInterrupt


def test_a_file_is_replaced_for_its_owner_only_and_leaves_no_part(tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_whole(path, b"new", is_durable=True)
    assert (path.read_bytes(), mode_of(path)) == (b"new", 0o600)
    assert os.listdir(tmp_path) == ["scores.csv"]


def test_a_page_is_for_anyone_whom_the_umask_lets(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_whole(tmp_path / "index.html", b"page", mode=FOR_ANYONE)
    finally:
        os.umask(before)
    assert mode_of(tmp_path / "index.html") == 0o640


def test_a_long_name_of_large_characters_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("陶" * 80 + ".html")
    write_whole(path, b"page")
    assert path.read_bytes() == b"page"


def test_what_fails_halfway_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        interrupted_while_writing(path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.json"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiskProblem, match=r"none/report\.md cannot be written") as caught:
        write_whole(tmp_path / "none" / "report.md", b"")
    assert caught.value.hint == f"ls -ld {tmp_path / 'none'}"


def test_a_new_file_never_replaces_one_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "kpay.toml"
    assert write_new(path, b"first")
    assert not write_new(path, b"second")
    assert (path.read_bytes(), mode_of(path)) == (b"first", 0o600)


def test_a_new_file_that_finds_no_room_does_not_stay(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_new(tmp_path / "draft.md", "text is not bytes")  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == []
