"""Ticks on a real store: what is due runs once, what was missed is made up for once and said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest

from kpay.adapters.scheduler import CronTimetable
from kpay.domain.schedule import ScheduledJob, Ticked
from kpay.errors import Busy, NotFound, PartialResult, UsageProblem
from kpay.ports import JobOutcome
from kpay.services import scheduling
from kpay.store import schedule
from kpay.store.lock import held
from tests.fakes.books import Books, at, open_books

KNOWN = ("sync", "report", "schedule", "demo")
BERLIN = CronTimetable("Europe/Berlin")


@dataclass
class SetClock:
    moment: datetime

    def now(self) -> datetime:
        return self.moment


@dataclass
class NotedRunner:
    """Runs nothing; ends every command with the next of its exit codes."""

    exit_codes: list[int] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)

    def run(self, name: str, command: Sequence[str]) -> JobOutcome:
        self.ran.append(" ".join((name, *command)))
        code = self.exit_codes.pop(0) if self.exit_codes else 0
        return JobOutcome(code, "what it said", f"job-{name}.log")


class Desk:
    """A store with a clock that can be set, and everything a tick needs."""

    def __init__(self, books: Books, folder: Path) -> None:
        self.store = books.store
        self.clock = SetClock(at("2026-05-01T12:00"))
        self.runner = NotedRunner()
        self.lock = folder / "schedule.lock"

    def add(self, name: str = "nightly", cron: str = "15 4 * * *", *command: str) -> str:
        words = list(command) or ["sync"]
        known, now = KNOWN, self.clock.now()
        document = scheduling.add(self.store, BERLIN, name, cron, words, known=known, now=now)
        return document.title

    def tick(self, moment: str) -> Ticked:
        self.clock.moment = at(moment)
        return scheduling.tick(self.store, self.runner, BERLIN, self.clock, lock=self.lock)

    def jobs(self) -> list[ScheduledJob]:
        with self.store.reading() as connection:
            return schedule.all_jobs(connection)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with open_books(tmp_path) as books:
        yield Desk(books, tmp_path)


def test_a_job_runs_when_it_is_due_and_not_before_or_again(desk: Desk) -> None:
    desk.add()
    assert desk.tick("2026-05-02T02:14").runs == ()
    ticked = desk.tick("2026-05-02T02:16")
    assert desk.runner.ran == ["nightly sync"]
    assert ticked.lines() == []
    assert desk.tick("2026-05-02T02:17").runs == ()
    (job,) = desk.jobs()
    assert (job.last_due_at, job.last_exit_code) == (at("2026-05-02T02:15"), 0)
    assert job.next_due_at == at("2026-05-03T02:15")


def test_missed_runs_are_made_up_for_once_and_said(desk: Desk) -> None:
    desk.add()
    (run,) = desk.tick("2026-05-06T08:00").runs
    assert desk.runner.ran == ["nightly sync"]
    assert (run.due_at, run.missed) == (at("2026-05-06T02:15"), 4)
    assert "was due at 2026-05-06T02:15:00Z and 4 more" in run.lines()[0]
    assert desk.tick("2026-05-06T08:05").runs == ()


def test_a_run_long_after_its_time_is_said_and_a_short_delay_is_not(desk: Desk) -> None:
    desk.add()
    assert desk.tick("2026-05-02T02:45").lines() == []
    assert "it ran once, at 2026-05-03T09:00:00Z" in desk.tick("2026-05-03T09:00").lines()[0]


def test_a_failing_job_is_told_and_kept_and_the_others_run(desk: Desk) -> None:
    desk.add("first")
    desk.add("second")
    desk.runner.exit_codes = [69, 0]
    ticked = desk.tick("2026-05-02T02:16")
    assert desk.runner.ran == ["first sync", "second sync"]
    told = ["first failed with exit code 69 (job-first.log)", "  what it said"]
    assert ticked.lines() == told
    assert [job.last_exit_code for job in desk.jobs()] == [69, 0]
    with pytest.raises(PartialResult, match=r"1 of 2 jobs failed: first \(exit code 69\)"):
        scheduling.raise_if_failed(ticked)


def test_a_job_that_was_interrupted_stays_due(desk: Desk) -> None:
    desk.add()
    desk.runner.exit_codes = [130]
    desk.tick("2026-05-02T02:16")
    assert [run.exit_code for run in desk.tick("2026-05-02T02:17").runs] == [0]


def test_a_tick_that_was_killed_runs_its_job_again(desk: Desk) -> None:
    desk.add()

    def die(name: str, command: Sequence[str]) -> JobOutcome:
        raise KeyboardInterrupt

    whole = desk.runner.run
    desk.runner.run = die  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        desk.tick("2026-05-02T02:16")
    desk.runner.run = whole  # type: ignore[method-assign]
    assert len(desk.tick("2026-05-02T02:17").runs) == 1
    assert desk.tick("2026-05-02T02:18").runs == ()


def test_two_ticks_at_a_time_are_refused(desk: Desk) -> None:
    desk.add()
    with held(desk.lock, who="kpay schedule", wait_s=0), pytest.raises(Busy, match="kpay schedule"):
        desk.tick("2026-05-02T02:16")
    assert desk.runner.ran == []


def test_adding_twice_changes_nothing_and_another_time_moves_the_job(desk: Desk) -> None:
    desk.add()
    assert "nothing to do" in desk.add()
    assert "changed" in desk.add("nightly", "0 6 * * *")
    (job,) = desk.jobs()
    assert (job.cron, job.next_due_at) == ("0 6 * * *", at("2026-05-02T04:00"))


@pytest.mark.parametrize(
    ("name", "cron", "command", "problem"),
    [
        ("Nightly!", "15 4 * * *", ["sync"], "is not a job's name"),
        ("nightly", "15 4 * *", ["sync"], "is not a cron line"),
        ("nightly", "15 4 * * *", ["rm", "-rf"], "there is no command 'rm'"),
        ("nightly", "15 4 * * *", ["schedule", "run"], "does not run by itself"),
        ("nightly", "15 4 * * *", ["sync", "--home", "elsewhere"], "leave --home out"),
        ("nightly", "15 4 * * *", [], "needs a command"),
    ],
)
def test_what_cannot_be_scheduled_says_why(
    desk: Desk, name: str, cron: str, command: list[str], problem: str
) -> None:
    with pytest.raises(UsageProblem, match=problem):
        scheduling.add(desk.store, BERLIN, name, cron, command, known=KNOWN, now=desk.clock.now())
    assert desk.jobs() == []


def test_a_removed_job_is_gone_with_its_runs(desk: Desk) -> None:
    desk.add()
    desk.tick("2026-05-02T02:16")
    scheduling.remove(desk.store, "nightly")
    assert desk.jobs() == []
    with pytest.raises(NotFound):
        scheduling.remove(desk.store, "nightly")


def test_a_beat_tells_what_went_wrong_and_goes_on() -> None:
    told: list[str] = []

    def busy() -> Ticked:
        raise Busy("somebody is at work")

    def broken() -> Ticked:
        raise NotFound("job", "nightly")

    beats: list[Callable[[], Ticked]] = [busy, broken, lambda: Ticked(())]
    for beat in beats:
        scheduling.beat(beat, told.append)
    assert told == ["there is no job called 'nightly'"]
