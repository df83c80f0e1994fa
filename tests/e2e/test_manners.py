"""What holds for every command: help, typos, flags in any place, errors for people and programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from kpay import __version__


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",), ("help",)])
def test_the_root_help_lists_the_commands(kpay, words: tuple[str, ...]) -> None:
    result = kpay(*words)
    assert result.exit_code == 0
    assert "init" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize("flag", ["--version", "-V"])
def test_the_version(kpay, flag: str) -> None:
    assert kpay(flag).stdout == f"kpay {__version__}\n"


@pytest.mark.parametrize("words", [("init", "--help"), ("init", "-h"), ("help", "init")])
def test_help_of_a_command_in_three_ways(kpay, words: tuple[str, ...]) -> None:
    assert "Start a new business" in kpay(*words).stdout


def test_a_typo_gets_a_guess_and_exit_2(kpay) -> None:
    result = kpay("docter")
    assert result.exit_code == 2
    assert "did you mean 'doctor'" in result.stderr
    assert "next: kpay doctor" in result.stderr


def test_a_wrong_option_is_usage(kpay, business: Path) -> None:
    result = kpay("config", "--origin", home=business)
    assert result.exit_code == 2
    assert "next: kpay config --help" in result.stderr


def test_errors_are_json_for_programs_wherever_the_flag_stands(kpay, business: Path) -> None:
    for words in (("--json", "config", "nothing"), ("config", "nothing", "--json")):
        result = kpay(*words, home=business)
        assert result.exit_code == 4
        error = json.loads(result.stderr)["error"]
        assert set(error) == {"code", "message", "hint", "details"}
        assert error["code"] == "not_found"
        assert result.stdout == ""


def test_no_business_here_says_how_to_start_one(kpay, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = kpay("doctor")
    assert result.exit_code == 78
    assert "next: kpay init" in result.stderr


def test_a_bug_leaves_an_apology_a_redacted_report_and_exit_1(
    kpay, business, monkeypatch, tmp_path
) -> None:
    import kpay.services.settings as settings

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("sk_test_abcdefgh and ana@example.com")

    monkeypatch.setattr(settings, "describe", broken)
    result = kpay("config", home=business)
    assert result.exit_code == 1
    assert "a bug in kpay" in result.stderr
    (report,) = (tmp_path / "state").glob("kpay-bug-*.log")
    text = report.read_text(encoding="utf-8")
    assert "RuntimeError" in text
    assert "sk_test_abcdefgh" not in text + result.stderr
    assert "ana@example.com" not in text


def test_init_twice_touches_nothing(kpay, tmp_path: Path) -> None:
    home = tmp_path / "shop"
    first = kpay("init", str(home))
    assert first.exit_code == 0
    (home / "kpay.toml").write_text('name = "Mine"\n', encoding="utf-8")
    second = kpay("init", str(home))
    assert "nothing to do" in second.stdout
    assert (home / "kpay.toml").read_text(encoding="utf-8") == 'name = "Mine"\n'


def test_init_makes_private_files(kpay, tmp_path: Path) -> None:
    home = tmp_path / "shop"
    kpay("init", str(home))
    modes = {path.name: path.stat().st_mode & 0o777 for path in home.rglob("*")}
    assert modes["kpay.db"] == modes["kpay.toml"] == 0o600
    assert modes["content"] == 0o700


def test_doctor_finds_a_corrupt_store_and_says_what_to_do(kpay, business: Path) -> None:
    (business / "kpay.db").write_bytes(b"garbage" * 1000)
    result = kpay("doctor", home=business)
    assert result.exit_code == 78
    assert "broken" in result.stdout
    assert "next:" in result.stderr


def test_config_shows_where_a_value_came_from(kpay, business: Path) -> None:
    result = kpay(
        "config", "timezone", "--show-origin", home=business, env={"KPAY_TIMEZONE": "Asia/Tokyo"}
    )
    assert "Asia/Tokyo" in result.stdout
    assert "KPAY_TIMEZONE" in result.stdout


def test_a_closed_pipe_ends_quietly(business: Path) -> None:
    script = Path(sys.executable).with_name("kpay")
    command = f"'{script}' config --home '{business}' | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("words", "position", "offered"),
    [
        ("kpay do", 1, "doctor"),
        ("kpay config --sh", 2, "--show-origin"),
    ],
)
def test_bash_is_offered_what_could_come_next(words: str, position: int, offered: str) -> None:
    script = Path(sys.executable).with_name("kpay")
    environment = {
        "_KPAY_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(position),
    }
    done = subprocess.run(
        [str(script)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert offered in done.stdout.split()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_of_a_shell(kpay, shell: str) -> None:
    assert "_KPAY_COMPLETE" in kpay("completion", shell).stdout


def test_a_store_that_is_gone_is_not_passed_over_in_silence(business: Path, kpay_process) -> None:
    (business / "kpay.db").unlink()
    result = kpay_process("order", "list", cwd=business)
    assert result.exit_code == 0
    assert "kpay.db was missing; an empty store was made" in result.stderr
