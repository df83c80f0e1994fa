"""Commands that run by themselves: our own table is the truth, a tick runs what is due.

A due time is written before its run begins and the next one only after it ended, so a tick that is
killed runs the job again; every command of kpay may be run again. Several due times that passed
unseen are made up for by one run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from kpay.domain.document import Document, done
from kpay.domain.period import instant_text
from kpay.domain.schedule import (
    INTERRUPTED,
    DoneRun,
    ScheduledJob,
    Ticked,
    command_problem,
    job_payload,
    name_problem,
    schedule_document,
)
from kpay.errors import Busy, KpayError, NotFound, PartialResult, UsageProblem
from kpay.ports import Clock, JobRunner, Timetable
from kpay.store import schedule
from kpay.store.engine import Store
from kpay.store.lock import held

ADD_HINT = 'kpay schedule add nightly "15 4 * * *" -- sync'


def add(
    store: Store,
    timetable: Timetable,
    name: str,
    cron: str,
    command: Sequence[str],
    *,
    known: Sequence[str],
    now: datetime,
) -> Document:
    """Add a job, or give the job of that name another time or command.

    Raises UsageProblem for a name, cron line or command that cannot be.
    """
    words = list(command[1:] if command[:1] == ["kpay"] else command)
    problem = name_problem(name) or command_problem(words, known)
    if problem:
        raise UsageProblem(problem, ADD_HINT)
    due = _next_due(timetable, cron, now)
    with store.writing() as connection:
        before = schedule.job_called(connection, name)
        if before and (list(before.command), before.cron) == (words, cron):
            return _added(before, "is scheduled already; nothing to do")
        if before:
            schedule.change_job(connection, before.id, words, cron, due)
        else:
            schedule.add_job(connection, name, words, cron, now=now, next_due_at=due)
    job = ScheduledJob(name, tuple(words), cron, due)
    return _added(job, "changed" if before else "added")


def _next_due(timetable: Timetable, cron: str, now: datetime) -> datetime:
    try:
        return timetable.next_after(cron, now)
    except ValueError as error:
        raise UsageProblem(str(error), ADD_HINT) from error


def _added(job: ScheduledJob, what: str) -> Document:
    sentence = f"Job {job.name} {what}: `{job.line}`, next due at {instant_text(job.next_due_at)}."
    steps = ("kpay schedule list", "kpay schedule run")
    return done("kpay.schedule.add/1", sentence, job_payload(job), *steps)


def listing(store: Store, timezone: str) -> Document:
    """Show all jobs."""
    with store.reading() as connection:
        return schedule_document(schedule.all_jobs(connection), timezone)


def remove(store: Store, name: str) -> Document:
    """Remove a job; NotFound when there is none of that name."""
    with store.writing() as connection:
        job = schedule.job_called(connection, name)
        if job is None:
            raise NotFound("job", name, "kpay schedule list")
        schedule.remove_job(connection, job.id)
    return done("kpay.schedule.remove/1", f"Job {name} removed.", {"name": name})


def tick(
    store: Store, runner: JobRunner, timetable: Timetable, clock: Clock, *, lock: Path
) -> Ticked:
    """Run every job that is due, one after the other; Busy while another tick is at it."""
    with held(lock, who="kpay schedule", wait_s=0):
        with store.reading() as connection:
            due = schedule.due_jobs(connection, clock.now())
        return Ticked(tuple(_run(store, runner, timetable, clock, job) for job in due))


def _run(
    store: Store, runner: JobRunner, timetable: Timetable, clock: Clock, job: ScheduledJob
) -> DoneRun:
    started_at = clock.now()
    due_at, missed = _newest_due(timetable, job, started_at)
    with store.writing() as connection:
        schedule.start_run(connection, job.id, due_at, started_at=started_at, missed=missed)
    outcome = runner.run(job.name, job.command)
    if outcome.exit_code != INTERRUPTED:  # else it stays due
        ended_at = clock.now()
        with store.writing() as connection:
            schedule.finish_run(
                connection,
                job.id,
                due_at,
                ended_at=ended_at,
                exit_code=outcome.exit_code,
                next_due_at=timetable.next_after(job.cron, max(due_at, started_at)),
            )
    return DoneRun(
        job.name, due_at, started_at, missed, outcome.exit_code, outcome.said, outcome.log
    )


def _newest_due(timetable: Timetable, job: ScheduledJob, now: datetime) -> tuple[datetime, int]:
    """Return the newest due time that has come, and how many came before it."""
    due, missed = job.next_due_at, 0
    while (following := timetable.next_after(job.cron, due)) <= now:
        due, missed = following, missed + 1
    return due, missed


def raise_if_failed(ticked: Ticked) -> None:
    """Raise PartialResult when a job did not end well."""
    if ticked.failed:
        names = ", ".join(f"{run.job} (exit code {run.exit_code})" for run in ticked.failed)
        raise PartialResult(
            f"{len(ticked.failed)} of {len(ticked.runs)} jobs failed: {names}",
            "kpay schedule list",
            jobs=[run.job for run in ticked.failed],
        )


def beat(tick_once: Callable[[], Ticked], tell: Callable[[str], None]) -> None:
    """Tick once inside `schedule run`: whatever a tick meets is told, and the next one comes."""
    try:
        for line in tick_once().lines():
            tell(line)
    except Busy:
        return
    except KpayError as error:
        tell(error.message)
