"""`kpay schedule` on the command line, with jobs that really run."""

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

Run = Callable[..., Any]
DUE = {"KPAY_NOW": "2026-10-02T04:16:00Z"}


def test_a_job_is_added_listed_run_and_removed(kpay: Run, business: Path) -> None:
    (business / "json.py").write_text("raise SystemExit('not the json that was asked for')")
    words = ["report", "--csv", "--out", "week.csv"]
    added = kpay("schedule", "add", "nightly", "15 4 * * *", "--", *words, home=business)
    assert added.exit_code == 0, added.stderr
    assert "next due at 2026-10-02T04:15:00Z" in added.stdout
    listed = json.loads(kpay("schedule", "list", "--json", home=business).stdout)
    assert listed["jobs"][0]["command"] == words
    early = kpay("schedule", "tick", home=business)
    due = kpay("schedule", "tick", home=business, env=DUE)
    for ticked in (early, due):
        assert (ticked.exit_code, ticked.stdout, ticked.stderr) == (0, "", "")
    log = business / "logs" / "job-nightly.log"
    assert (business / "week.csv").read_text(encoding="utf-8").startswith("figure,value")
    assert log.stat().st_mode & 0o777 == 0o600
    assert kpay("schedule", "remove", "nightly", home=business).exit_code == 0
    assert "No job is scheduled" in kpay("schedule", "list", home=business).stdout


def test_a_job_that_fails_is_shown_with_what_it_said(kpay: Run, business: Path) -> None:
    words = ("report", "--month", "never")
    added = kpay("schedule", "add", "bad", "--cron", "15 4 * * *", "--", *words, home=business)
    assert added.exit_code == 0, added.stderr
    ticked = kpay("schedule", "tick", home=business, env=DUE)
    assert ticked.exit_code == 3
    assert "bad failed with exit code 2" in ticked.stdout
    assert "--month 'never' is not a month" in ticked.stdout
    assert "1 of 1 jobs failed" in ticked.stderr


def test_a_wrong_cron_line_is_a_usage_problem(kpay: Run, business: Path) -> None:
    refused = kpay("schedule", "add", "nightly", "soon", "--", "report", home=business)
    assert refused.exit_code == 2
    assert "'soon' is not a cron line" in refused.stderr
    assert "next: kpay schedule add" in refused.stderr


def test_run_looks_at_once_and_ends_with_130(kpay: Run, business: Path) -> None:
    kpay("schedule", "add", "nightly", "15 4 * * *", "--", "report", home=business)
    log = business / "logs" / "job-nightly.log"
    words = [sys.executable, "-m", "kpay", "--home", str(business), "schedule", "run"]
    with subprocess.Popen(words, env={**os.environ, **DUE}, stderr=subprocess.PIPE) as running:
        deadline = time.monotonic() + 60
        while not (log.exists() and log.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    assert log.read_text(encoding="utf-8").startswith("Summary")
    assert running.returncode == 130
