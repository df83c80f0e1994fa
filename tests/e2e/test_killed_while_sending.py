"""A run that is killed: nobody gets two, nobody is forgotten, and little is uncertain."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kpay.domain.pacing import USUAL_LIMITS
from kpay.services.sending import IN_FLIGHT_A_CONNECTION
from tests.fakes.smtp_sink import Faults, SmtpSink

READERS = 240
PEOPLE = "email,name\n" + "".join(f"r{number}@r.example,Li\n" for number in range(READERS))
LETTER = "---\nsubject: Bread\nholdout: 0\n---\nHello {{ name }}\n"
MAIL = {
    "KPAY_MAIL": "smtp",
    "KPAY_MAIL_FROM": "Ana <ana@bakery.example>",
    "KPAY_POSTAL_ADDRESS": "Hauptstraße 1, Berlin",
}


def start(home: Path, env: dict[str, str], *command: str) -> subprocess.Popen[str]:
    told = command or ("campaign", "send", "bread", "--yes")
    words = [sys.executable, "-m", "kpay", *told, "--json"]
    return subprocess.Popen(
        words, cwd=home, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True
    )


def interrupt(run: subprocess.Popen[str], sink: SmtpSink, count: int, how: signal.Signals) -> int:
    """Send a signal once the sink has taken so many messages; return the exit code."""
    give_up_at = time.monotonic() + 60
    while len(sink.taken) < count and run.poll() is None and time.monotonic() < give_up_at:
        time.sleep(0.005)
    run.send_signal(how)
    run.communicate(timeout=60)
    return run.returncode


def test_killed_and_interrupted_runs_go_on_where_they_stopped(
    business: Path, kpay: Callable[..., Any]
) -> None:
    (business / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (business / "campaigns" / "bread.md").write_text(LETTER, encoding="utf-8")
    people = str(business / "people.csv")
    assert kpay("import", "subscribers", people, home=business).exit_code == 0
    sink = SmtpSink(Faults(on_taken=lambda recipient: time.sleep(0.01)))
    with sink.serving() as url:
        env = {**MAIL, "KPAY_SMTP_URL": url}
        assert interrupt(start(business, env), sink, 40, signal.SIGKILL) == -signal.SIGKILL
        assert interrupt(start(business, env), sink, 100, signal.SIGINT) == 130
        last = kpay("campaign", "send", "bread", "--yes", "--json", home=business, env=env)
    report = json.loads(last.stdout)
    assert last.exit_code == 3
    assert not sink.twice
    assert 0 < report["uncertain"] <= USUAL_LIMITS.connections * IN_FLIGHT_A_CONNECTION
    assert report["sent"] + report["uncertain"] == READERS
    assert report["sent"] <= len(sink.taken) <= READERS


def test_a_killed_run_of_sequences_sends_nobody_a_letter_twice(
    business: Path, kpay: Callable[..., Any]
) -> None:
    assert kpay("sequence", "new", "welcome", home=business).exit_code == 0
    assert kpay("sequence", "run", "--yes", home=business, env=MAIL).exit_code == 0
    (business / "people.csv").write_text(PEOPLE, encoding="utf-8")
    people = str(business / "people.csv")
    assert kpay("import", "subscribers", people, home=business).exit_code == 0
    sink = SmtpSink(Faults(on_taken=lambda recipient: time.sleep(0.01)))
    run = ("sequence", "run", "--yes")
    with sink.serving() as url:
        env = {**MAIL, "KPAY_SMTP_URL": url}
        killed = interrupt(start(business, env, *run), sink, 40, signal.SIGKILL)
        assert killed == -signal.SIGKILL
        assert interrupt(start(business, env, *run), sink, 100, signal.SIGKILL) == killed
        last = kpay(*run, home=business, env=env)
        assert last.exit_code == 0, last.stderr
        again = kpay(*run, home=business, env=env)
    assert "nothing to do" in again.stdout
    assert not sink.twice
    lost = 2 * USUAL_LIMITS.connections * IN_FLIGHT_A_CONNECTION
    assert READERS - lost <= len(sink.taken) <= READERS
