"""A business whose `kpay campaign send` is killed, refused and starved, and what is left of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from tests.fakes.smtp_sink import SmtpSink

LETTER: Final = "---\nsubject: Bread for {{ name }}\nholdout: 0\n---\nHello {{ name }}.\n"
MAIL: Final = {
    "KPAY_MAIL": "smtp",
    "KPAY_MAIL_FROM": "Ana <ana@bakery.example>",
    "KPAY_POSTAL_ADDRESS": "Hauptstraße 1, Berlin",
}


class MailVictim:
    """A folder with a list and a campaign, and the command line on it."""

    def __init__(self, home: Path, url: str, emails: list[str], **settings: object) -> None:
        self.home, self.emails = home, emails
        named = {f"KPAY_{name.upper()}": str(value) for name, value in settings.items()}
        self.environment = {**os.environ, **MAIL, "KPAY_SMTP_URL": url, **named}
        shutil.rmtree(home, ignore_errors=True)
        self.run("init", str(home), at_home=False)
        people = home / "people.csv"
        people.write_text("email,name\n" + "".join(f"{one},Li\n" for one in emails), "utf-8")
        (home / "campaigns" / "bread.md").write_text(LETTER, encoding="utf-8")
        self.run("import", "subscribers", str(people))

    def run(self, *words: str, at_home: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a command of kpay to its end."""
        return subprocess.run(
            self.command(*words, at_home=at_home),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def command(self, *words: str, at_home: bool = True) -> list[str]:
        """Return the words of a command on this business."""
        where = ("--home", str(self.home)) if at_home else ()
        return [str(Path(sys.executable).with_name("kpay")), *words, *where]

    def start(self, limit: Callable[[], None] | None = None) -> subprocess.Popen[str]:
        """Start `kpay campaign send` in a process group of its own."""
        return subprocess.Popen(
            self.command("campaign", "send", "bread", "--yes", "--json"),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=limit,
        )

    def send(self, limit: Callable[[], None] | None = None) -> tuple[int, dict[str, Any]]:
        """Send to the end; return the exit code and the report or the error."""
        run = self.start(limit)
        out, err = run.communicate(timeout=900)
        return run.returncode, json.loads(out or err)

    def kill_at(self, sink: SmtpSink, count: int, runs: int = 1) -> bool:
        """Start sending, kill it once the sink has taken so many; say whether mail was flowing."""
        before = len(sink.taken)
        started = [self.start() for _ in range(runs)]
        give_up_at = time.monotonic() + 120
        while len(sink.taken) < count and any(run.poll() is None for run in started):
            if time.monotonic() > give_up_at:
                break
            time.sleep(0.002)
        was_alive = False
        for run in started:
            was_alive |= run.poll() is None
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
            run.communicate()
        return was_alive and before < len(sink.taken) < len(self.emails)

    def reconcile(self, sink: SmtpSink) -> dict[str, Any]:
        """Settle what is uncertain by what the sink has taken."""
        log = self.home / "sink.log"
        lines = []
        for recipient, message in list(sink.taken):
            identity = message.partition(b"Message-ID: ")[2].partition(b"\r\n")[0].decode()
            lines.append(f"accepted {identity} for {recipient}\n")
        log.write_text("".join(lines), encoding="utf-8")
        run = self.run("campaign", "reconcile", "bread", "--log", str(log), "--json")
        found: dict[str, Any] = json.loads(run.stdout or run.stderr)
        return found

    def states(self) -> Mapping[str, int]:
        """Return how many messages stand in each state."""
        with closing(sqlite3.connect(f"file:{self.home}/kpay.db?mode=ro", uri=True)) as store:
            return Counter(state for (state,) in store.execute("SELECT state FROM delivery"))
