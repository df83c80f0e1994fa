"""Jobs that run by themselves: what is kept of them, and what one tick did."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kpay.domain.document import Block, Column, Document, Table, Text
from kpay.domain.period import instant_text

LATE = timedelta(hours=1)
INTERRUPTED = 130
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}")
NOT_BY_ITSELF = frozenset({"schedule", "demo", "init"})


@dataclass(frozen=True, slots=True)
class ScheduledJob:
    """A kpay command line, its cron line, when it is next due, and how it last ended."""

    name: str
    command: tuple[str, ...]
    cron: str
    next_due_at: datetime
    last_due_at: datetime | None = None
    last_exit_code: int | None = None
    id: int = 0

    @property
    def line(self) -> str:
        """The command as it is typed."""
        return " ".join(("kpay", *self.command))


@dataclass(frozen=True, slots=True)
class DoneRun:
    """One run of a job; `missed` counts the earlier due times that it made up for."""

    job: str
    due_at: datetime
    started_at: datetime
    missed: int
    exit_code: int
    said: str
    log: str

    @property
    def is_late(self) -> bool:
        """It ran long after it was due, or for several due times at once."""
        return self.missed > 0 or self.started_at - self.due_at > LATE

    @property
    def is_failed(self) -> bool:
        """It did not end well."""
        return self.exit_code != 0

    def lines(self) -> list[str]:
        """Say what a person must know of this run; nothing when it went well and in time."""
        told = []
        if self.is_late:
            times = f" and {self.missed} more" if self.missed else ""
            told.append(
                f"{self.job} was due at {instant_text(self.due_at)}{times}; it ran once, at "
                f"{instant_text(self.started_at)}"
            )
        if self.is_failed:
            told.append(f"{self.job} failed with exit code {self.exit_code} ({self.log})")
            told += [f"  {line}" for line in self.said.splitlines()]
        return told


@dataclass(frozen=True, slots=True)
class Ticked:
    """What one tick did."""

    runs: tuple[DoneRun, ...]

    @property
    def failed(self) -> tuple[DoneRun, ...]:
        """The runs that did not end well."""
        return tuple(run for run in self.runs if run.is_failed)

    def lines(self) -> list[str]:
        """Say what must be known; nothing when all is well."""
        return [line for run in self.runs for line in run.lines()]

    def to_document(self) -> Document:
        """Show every run."""
        count = len(self.runs)
        title = f"{count} job{'' if count == 1 else 's'} ran" if count else "Nothing was due"
        payload = {
            "runs": [
                {
                    "job": run.job,
                    "due_at": instant_text(run.due_at),
                    "started_at": instant_text(run.started_at),
                    "missed": run.missed,
                    "exit_code": run.exit_code,
                    "log": run.log,
                }
                for run in self.runs
            ],
            "failed": len(self.failed),
        }
        lines = self.lines()
        blocks: tuple[Block, ...] = (Text("\n".join(lines), "warning"),) if lines else ()
        return Document("kpay.schedule.tick/1", title, blocks, payload)


def schedule_document(jobs: Sequence[ScheduledJob], timezone: str) -> Document:
    """Show every job, the next one first."""
    columns = (
        Column("Job"),
        Column("When"),
        Column("Command"),
        Column("Next due", "instant"),
        Column("Last due", "instant"),
        Column("Exit code", "count"),
    )
    rows = tuple(
        (job.name, job.cron, job.line, job.next_due_at, job.last_due_at, job.last_exit_code)
        for job in jobs
    )
    payload = {"timezone": timezone, "jobs": [job_payload(job) for job in jobs]}
    if not jobs:
        text = Text("No job is scheduled.")
        steps = ('kpay schedule add nightly "15 4 * * *" -- sync',)
        return Document("kpay.schedule.list/1", "Schedule", (text,), payload, next_steps=steps)
    note = f"Cron lines are in {timezone}. `kpay schedule tick` in your crontab runs what is due."
    table = Table(columns, rows, note=note)
    return Document("kpay.schedule.list/1", "Schedule", (table,), payload)


def job_payload(job: ScheduledJob) -> dict[str, Any]:
    """Return the object of one job."""
    return {
        "name": job.name,
        "cron": job.cron,
        "command": list(job.command),
        "next_due_at": instant_text(job.next_due_at),
        "last_due_at": instant_text(job.last_due_at) if job.last_due_at else None,
        "last_exit_code": job.last_exit_code,
    }


def name_problem(name: str) -> str | None:
    """Say what is wrong with a job's name; it also names the file of its words."""
    if NAME.fullmatch(name):
        return None
    return f"{name!r} is not a job's name (small letters, digits, - and _)"


def command_problem(command: Sequence[str], known: Sequence[str]) -> str | None:
    """Say why words cannot run by themselves: only kpay's commands, in this business."""
    if not command:
        return "a job needs a command"
    if command[0] not in known:
        return f"there is no command {command[0]!r}; a job is a kpay command line"
    if command[0] in NOT_BY_ITSELF:
        return f"kpay {command[0]} does not run by itself"
    if any(word == "--home" or word.startswith("--home=") for word in command):
        return "a job runs in its own business; leave --home out"
    return None
