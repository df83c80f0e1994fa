"""Every way in which mail goes wrong, through the real command line; the sink alone says who got what.

    python -m tests.soak.mail_faults [CASE...]

Exits 1 when anybody got two messages, when somebody is neither sent nor failed nor uncertain, when a log
does not settle what is uncertain exactly, or when too few kills fell while mail flowed.
"""

from __future__ import annotations

import resource
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.fakes.mail_victim import MailVictim
from tests.fakes.smtp_sink import Faults, SmtpSink

KILLS: Final = 20
ENOUGH: Final = 15
TIMEOUT_S: Final = 2


def addresses(count: int) -> list[str]:
    """Return addresses in three domains."""
    return [f"r{number:05}@r{number % 3}.example" for number in range(count)]


class Case:
    """One way of going wrong: how the sink misbehaves, and what a run must come to."""

    def __init__(self, name: str, count: int, faults: Faults, **settings: object) -> None:
        self.name, self.emails, self.settings = name, addresses(count), settings
        self.sink = SmtpSink(faults)
        self.problems: list[str] = []

    def run(self, folder: Path, act: Callable[[MailVictim], str] | None = None) -> bool:
        """Run it, settle what is uncertain, run again, and print a line."""
        began = time.monotonic()
        with self.sink.serving() as url:
            chosen = {"smtp_timeout_s": TIMEOUT_S, **self.settings}
            victim = MailVictim(folder / self.name, url, self.emails, **chosen)
            note = act(victim) if act else ""
            victim.send()
            first = dict(victim.states())
            self._judge(victim)
            if first.get("uncertain"):
                settled = victim.reconcile(self.sink)
                self._expect(not settled["uncertain"], f"a whole log leaves {settled['problem']}")
                victim.send()
                self._judge(victim)
        last = dict(victim.states())
        known = last.get("sent", 0) + last.get("failed", 0) + last.get("queued", 0)
        known += last.get("retry", 0) + last.get("uncertain", 0)
        self._expect(known == len(self.emails), f"{len(self.emails) - known} are nowhere")
        self._expect(last.get("sent", 0) == len(self.sink.taken), "sent and taken differ")
        counts = " ".join(f"{state} {count}" for state, count in sorted(first.items()))
        verdict = "; ".join(self.problems) or "fine"
        taken_s = time.monotonic() - began
        print(f"{self.name:<22} {taken_s:6.1f} s  {counts:<42} {note:<24} {verdict}", flush=True)
        return not self.problems

    def _judge(self, victim: MailVictim) -> None:
        self._expect(not self.sink.twice, f"{len(self.sink.twice)} got two")
        self._expect("sending" not in victim.states(), "something is on its way for ever")

    def _expect(self, holds: bool, words: str) -> None:
        if not holds:
            self.problems.append(words)


def some(count: int, every: int, start: int = 0) -> list[str]:
    """Return every so-manieth address."""
    return addresses(count)[start::every]


def refusals() -> list[Case]:
    """Return what servers say no with."""
    later = {"450": "4.2.1 later", "451": "4.3.0 later", "452": "4.2.2 full", "421": "4.3.2 bye"}
    cases = [
        Case(code, 300, Faults(once=dict.fromkeys(some(300, 9), f"{code} {words}")))
        for code, words in later.items()
    ]
    at_end = dict.fromkeys(some(300, 9), "454 4.7.0 try later")
    cases.append(Case("454", 300, Faults(at_end=at_end)))
    for code in ("550", "552", "554"):
        faults = Faults(rcpt=dict.fromkeys(some(300, 11), f"{code} 5.7.1 injected"))
        cases.append(Case(code, 300, faults))
    return cases


def losses() -> list[Case]:
    """Return what happens to connections."""
    return [
        Case("dropped before the dot", 300, Faults(drop_before_dot=set(some(300, 7)))),
        Case("dropped at the dot", 300, Faults(drop_at_dot=set(some(300, 14)))),
        Case("dropped after the dot", 300, Faults(drop_after_taking=set(some(300, 20)))),
        Case("hang before", 200, Faults(on_rcpt=Hang(some(200, 60)).before)),
        Case("hang after", 200, Faults(on_taken=Hang(some(200, 90)).after)),
        Case("two connections", 300, Faults(most_connections=2)),
        Case("ten a connection", 300, Faults(messages_a_connection=10)),
        Case("slow server", 200, Faults(on_taken=lambda recipient: time.sleep(0.08))),
        Case("rate limit", 600, Faults(on_end=Throttle(120).answer)),
        Case("no pipelining", 300, Faults(capabilities=("8BITMIME",))),
    ]


class Hang:
    """Falls silent once for each of some recipients."""

    def __init__(self, who: list[str]) -> None:
        self._left = set(who)
        self._lock = threading.Lock()

    def _is_next(self, recipient: str) -> bool:
        with self._lock:
            is_next = recipient in self._left
            self._left.discard(recipient)
            return is_next

    def before(self, recipient: str) -> None:
        """Hang before a recipient is accepted."""
        if self._is_next(recipient):
            time.sleep(3 * TIMEOUT_S)

    def after(self, recipient: str) -> None:
        """Hang after a message was taken, longer than anybody waits."""
        if self._is_next(recipient):
            time.sleep(6 * TIMEOUT_S)


class Throttle:
    """Takes so many messages a second."""

    def __init__(self, most: int) -> None:
        self._most, self._second, self._count = most, 0, 0
        self._lock = threading.Lock()

    def answer(self, recipient: str) -> str | None:
        """Return a refusal for what comes too fast."""
        with self._lock:
            now = int(time.monotonic())
            self._count = self._count + 1 if now == self._second else 1
            self._second = now
            too_fast = self._count > self._most
        return "454 4.7.0 Throttling failure: maximum sending rate exceeded" if too_fast else None


def killed(runs: int, connections: int) -> tuple[Case, Callable[[MailVictim], str]]:
    """Return `kill -9` at twenty moments at which mail flows, of one run or of two at once."""
    slow = Faults(on_taken=lambda recipient: time.sleep(0.004))
    name = f"killed, {runs} at once" if runs > 1 else f"killed, {connections} connections"
    count = 1600 if connections < 10 else 3600
    case = Case(name, count, slow, mail_connections=connections)

    def act(victim: MailVictim) -> str:
        flowing = 0
        for kill in range(KILLS):
            at = (kill + 1) * (count - 200) // KILLS - kill % 7
            flowing += victim.kill_at(case.sink, max(at, len(case.sink.taken) + 5), runs)
        case._expect(flowing >= ENOUGH, f"only {flowing} kills while mail flowed")
        most = KILLS * connections * 3
        uncertain = victim.states().get("uncertain", 0)
        case._expect(uncertain <= most, f"{uncertain} uncertain, more than were under way")
        return f"{flowing} of {KILLS} kills in flow"

    return case, act


def goes_away() -> tuple[Case, Callable[[MailVictim], str]]:
    """Return a server that drops everybody three times and takes nobody for a while."""
    case = Case("server goes away", 900, Faults(on_taken=lambda recipient: time.sleep(0.005)))
    faults = case.sink.faults

    def drop(recipient: str) -> str | None:
        raise ConnectionResetError

    def act(victim: MailVictim) -> str:
        run = victim.start()
        for number in range(1, 4):
            while len(case.sink.taken) < 200 * number and run.poll() is None:
                time.sleep(0.005)
            faults.on_rcpt, faults.most_connections = drop, 0
            time.sleep(0.5)
            faults.on_rcpt, faults.most_connections = (lambda recipient: None), 1000
        run.communicate()
        case._expect(run.returncode in (0, 3), f"exit code {run.returncode}")
        return f"{case.sink.connections} connections"

    return case, act


def two_at_once() -> tuple[Case, Callable[[MailVictim], str]]:
    """Return two runs beside each other: one sends, the other is told to wait."""
    case = Case("two at once", 600, Faults(on_taken=lambda recipient: time.sleep(0.002)))

    def act(victim: MailVictim) -> str:
        runs = [victim.start() for _ in range(2)]
        codes = sorted((run.communicate()[0] and run.returncode) or run.returncode for run in runs)
        case._expect(codes in ([0, 75], [0, 0]), f"exit codes {codes}")
        return f"exit codes {codes}"

    return case, act


def full_disk() -> tuple[Case, Callable[[MailVictim], str]]:
    """Return a store that may not grow any more while mail flows."""
    case = Case("disk full", 1500, Faults())

    def act(victim: MailVictim) -> str:
        size = (victim.home / "kpay.db").stat().st_size
        for more in (500_000, 800_000, 1_200_000):

            def limit(most: int = size + more) -> None:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

            victim.send(limit)
        return f"{len(case.sink.taken)} taken by then"

    return case, act


def main(wanted: list[str]) -> int:
    """Run all cases, or those that are named."""
    plain: list[tuple[Case, Callable[[MailVictim], str] | None]]
    plain = [(case, None) for case in (*refusals(), *losses())]
    plain += [killed(1, 4), killed(1, 16), killed(2, 4)]
    plain += [goes_away(), two_at_once(), full_disk()]
    with tempfile.TemporaryDirectory() as folder:
        chosen = [pair for pair in plain if not wanted or pair[0].name in wanted]
        fine = [case.run(Path(folder), act) for case, act in chosen]
    print(f"{len(fine)} cases, {fine.count(False)} went wrong")
    return 1 if not all(fine) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
