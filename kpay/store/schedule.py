"""Jobs and their runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, delete, func, insert, select, update

from kpay.domain.schedule import ScheduledJob
from kpay.models.schedule import Job, JobRun
from kpay.store.dialect import table_of, upsert_rows

JOBS = table_of(Job)
RUNS = table_of(JobRun)


def all_jobs(connection: Connection) -> list[ScheduledJob]:
    """Return every job, the next due first."""
    return [_job(row) for row in connection.execute(_with_last_run())]


def due_jobs(connection: Connection, now: datetime) -> list[ScheduledJob]:
    """Return the jobs that are due, the longest due first."""
    return [
        _job(row) for row in connection.execute(_with_last_run().where(JOBS.c.next_due_at <= now))
    ]


def job_called(connection: Connection, name: str) -> ScheduledJob | None:
    """Return one job, or None."""
    row = connection.execute(_with_last_run().where(JOBS.c.name == name)).one_or_none()
    return _job(row) if row else None


def add_job(
    connection: Connection,
    name: str,
    command: Sequence[str],
    cron: str,
    *,
    now: datetime,
    next_due_at: datetime,
) -> None:
    """Add a job."""
    connection.execute(
        insert(JOBS).values(
            name=name,
            command=list(command),
            cron=cron,
            is_enabled=True,
            created_at=now,
            next_due_at=next_due_at,
        )
    )


def change_job(
    connection: Connection, job_id: int, command: Sequence[str], cron: str, next_due_at: datetime
) -> None:
    """Give a job another command or another time."""
    connection.execute(
        update(JOBS)
        .where(JOBS.c.id == job_id)
        .values(command=list(command), cron=cron, next_due_at=next_due_at)
    )


def remove_job(connection: Connection, job_id: int) -> None:
    """Remove a job and what is known of its runs."""
    connection.execute(delete(RUNS).where(RUNS.c.job_id == job_id))
    connection.execute(delete(JOBS).where(JOBS.c.id == job_id))


def start_run(
    connection: Connection, job_id: int, due_at: datetime, *, started_at: datetime, missed: int
) -> None:
    """Write that a run begins; one that was broken off begins anew in the same row."""
    row = {"job_id": job_id, "due_at": due_at, "started_at": started_at, "missed": missed}
    upsert_rows(connection, JobRun, [row], key=["job_id", "due_at"])


def finish_run(
    connection: Connection,
    job_id: int,
    due_at: datetime,
    *,
    ended_at: datetime,
    exit_code: int,
    next_due_at: datetime,
) -> None:
    """Write how a run ended, and when the job is due again."""
    connection.execute(
        update(RUNS)
        .where(RUNS.c.job_id == job_id, RUNS.c.due_at == due_at)
        .values(ended_at=ended_at, exit_code=exit_code)
    )
    connection.execute(update(JOBS).where(JOBS.c.id == job_id).values(next_due_at=next_due_at))


def _with_last_run() -> Select[Any]:
    newest = (
        select(RUNS.c.job_id, func.max(RUNS.c.due_at).label("due_at"))
        .group_by(RUNS.c.job_id)
        .subquery()
    )
    last = and_(RUNS.c.job_id == newest.c.job_id, RUNS.c.due_at == newest.c.due_at)
    columns = JOBS.c
    return (
        select(
            columns.name,
            columns.command,
            columns.cron,
            columns.next_due_at,
            RUNS.c.due_at,
            RUNS.c.exit_code,
            columns.id,
        )
        .select_from(JOBS.outerjoin(newest, newest.c.job_id == columns.id).outerjoin(RUNS, last))
        .where(columns.is_enabled)
        .order_by(columns.next_due_at, columns.name)
    )


def _job(row: Row[Any]) -> ScheduledJob:
    name, command, *rest = tuple(row)
    return ScheduledJob(name, tuple(command), *rest)
