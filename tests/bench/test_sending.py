"""`kpay campaign send`: messages a second beside a bare client on the same sink, work a message, memory.

The bare client is Postfix's `smtp-source -s 4 -d` where it is on the PATH, else one of our own. Everything
is counted in: starting Python, the list, rendering, MIME, two durable writes of each message.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import Final, NamedTuple

from tests.fakes.mail_victim import MailVictim
from tests.fakes.quick_sink import flood, quick_sink

MESSAGES: Final = 5000
ROUNDS: Final = 3
SIZE: Final = 14_000
WORDS: Final = ("Words of a letter that is about as long as letters are. " * 18 + "\n\n") * 4


class Sent(NamedTuple):
    """What one run took."""

    a_second: float
    cpu_ms_a_message: float
    peak_mb: float


def business(folder: Path, port: int, count: int) -> MailVictim:
    """Return a business with a list and a planned campaign of about 14 KB a message."""
    emails = [f"r{number:06}@r{number % 50}.example" for number in range(count)]
    url = f"smtp://127.0.0.1:{port}?tls=none"
    victim = MailVictim(folder, url, emails, mail_connections=16)
    letter = folder / "campaigns" / "bread.md"
    letter.write_text(f"{letter.read_text(encoding='utf-8')}\n{WORDS}", encoding="utf-8")
    return victim


def sent(victim: MailVictim) -> Sent:
    """Plan, then send that plan in a process of its own and say what it took."""
    plan = json.loads(victim.run("campaign", "plan", "bread", "--json").stdout)["plan"]
    command = victim.command("campaign", "send", "bread", "--plan", plan, "--yes", "--json")
    child = subprocess.Popen(command, env=victim.environment, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout as answer:
        report = json.loads(answer.read())
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert report["sent"] == len(victim.emails), report
    cpu_s = used.ru_utime + used.ru_stime
    return Sent(
        report["sent"] / report["seconds"],
        1000 * cpu_s / report["sent"],
        used.ru_maxrss / 1024,
    )


def floor_a_second(port: int) -> tuple[str, float]:
    """Return which bare client there is, and how many messages a second it hands over."""
    tool = shutil.which("smtp-source")
    if tool is None:
        return "a bare client of our own", MESSAGES / flood(port, MESSAGES, SIZE)
    began = time.perf_counter()
    options = ["-s", "4", "-d", "-m", str(MESSAGES), "-l", str(SIZE)]
    people = ["-f", "a@b.example", "-t", "c@d.example"]
    subprocess.run([tool, *options, *people, f"127.0.0.1:{port}"], check=True)
    return "smtp-source -s 4 -d", MESSAGES / (time.perf_counter() - began)


def test_sending_beside_a_bare_client(tmp_path: Path) -> None:
    ratios, runs, name = [], [], ""
    with quick_sink() as port:
        for number in range(ROUNDS):
            run = sent(business(tmp_path / f"b{number}", port, MESSAGES))
            name, floor = floor_a_second(port)
            runs.append(run)
            ratios.append(run.a_second / floor)
            print(
                f"\n{MESSAGES:,} messages: {run.a_second:,.0f} a second, {run.cpu_ms_a_message:.2f} ms "
                f"of CPU each, {run.peak_mb:.0f} MB; {name}: {floor:,.0f} a second",
                end="",
            )
    cpu_ms = statistics.median(run.cpu_ms_a_message for run in runs)
    print(f"\nmedian: {statistics.median(ratios):.2f} of {name}, {cpu_ms:.2f} ms of CPU a message")
    assert cpu_ms <= 0.8, "the aim is 0.6 on a quiet machine"
    if name.startswith("smtp-source"):
        assert statistics.median(ratios) >= 0.15, "the aim is 0.2 on a quiet machine"


def test_memory_does_not_grow_with_the_list(tmp_path: Path) -> None:
    peaks = {}
    with quick_sink() as port:
        for count in (1000, 100_000):
            run = sent(business(tmp_path / f"b{count}", port, count))
            peaks[count] = run.peak_mb
            print(
                f"\n{count:>7,} recipients: {run.peak_mb:.0f} MB, {run.a_second:,.0f} a second",
                end="",
            )
    print()
    assert peaks[100_000] <= peaks[1000] + 20
