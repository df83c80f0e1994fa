"""Examining a business: every check answers ok, warning or broken, and what to do."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpay import heartbeat
from kpay.config import Settings
from kpay.domain.document import Column, Document, Table
from kpay.domain.finding import MARKS, Finding
from kpay.errors import KpayError, SettingsInvalid, StoreCorrupt, StoreTooNew
from kpay.ml.device import MOST_THREADS
from kpay.secrets import find
from kpay.services.examining_mail import MailProbes, examine_mail
from kpay.services.machine import free_cores
from kpay.store import learning, model_files, schema
from kpay.store.engine import Store
from kpay.store.health import integrity_problems

LOW_DISK_MB = 200
IMPORT_TIMEOUT_S = 60


@dataclass(frozen=True, slots=True)
class Examination:
    """All findings of one run."""

    home: Path
    findings: tuple[Finding, ...]

    def to_document(self) -> Document:
        """A table of findings, and the commands that mend them."""
        columns = (Column("check"), Column("verdict"), Column("finding"))
        rows = tuple((item.check, MARKS[item.verdict], item.sentence) for item in self.findings)
        checks = [
            {
                "check": item.check,
                "verdict": item.verdict,
                "finding": item.sentence,
                "next": item.next_step or None,
            }
            for item in self.findings
        ]
        steps = [item.next_step for item in self.findings if item.next_step]
        return Document(
            "kpay.doctor/1",
            f"Health of {self.home}",
            (Table(columns, rows),),
            {"home": str(self.home), "checks": checks},
            next_steps=tuple(dict.fromkeys(steps)),
        )

    def raise_if_broken(self) -> None:
        """Raise when something is broken, so that scripts see it in the exit code."""
        broken = [item for item in self.findings if item.verdict == "broken"]
        if broken:
            raise SettingsInvalid(
                f"{len(broken)} check{'s' if len(broken) > 1 else ''} failed: "
                + ", ".join(item.check for item in broken),
                broken[0].next_step or None,
            )


def examine(
    home: Path,
    settings: Settings,
    environment: Mapping[str, str],
    open_probes: Callable[[], MailProbes],
) -> Examination:
    """Run every check; a check that itself fails is a broken finding, never an exception."""
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        lambda: _settings(settings),
        lambda: _store(home),
        lambda: _files(home),
        lambda: _keys(home, settings, environment),
        lambda: _mail(home, settings, open_probes),
        lambda: _disk(home),
        _sqlite,
        _models,
        lambda: _model_files(home),
        lambda: _work(home),
    )
    return Examination(home, tuple(finding for check in checks for finding in _safely(check)))


def _safely(check: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(check())
    except KpayError as error:
        return [Finding(error.code, "broken", error.message, error.hint or "")]


def _settings(settings: Settings) -> Iterator[Finding]:
    mode = "LIVE" if settings.live else "TEST"
    yield Finding(
        "settings", "ok", f"{mode}, time zone {settings.timezone}, base {settings.base_currency}"
    )


def _store(home: Path) -> Iterator[Finding]:
    path = home / "kpay.db"
    if not path.exists():
        yield Finding("store", "broken", f"{path} is missing", "kpay init " + str(home))
        return
    problems = integrity_problems(path)
    if problems:
        newest = _newest_backup(home)
        step = f"cp {newest} {path}" if newest else f"mv {path} {path}.broken && kpay init {home}"
        yield Finding("store", "broken", f"{path}: {problems[0]}", step)
        return
    revision, head = schema.store_revision(path), schema.newest_revision()
    if revision is not None and schema.is_from_a_newer_kpay(revision):
        raise StoreTooNew(str(path), revision, head)
    size_mb = path.stat().st_size / 1e6
    state = "newest schema" if revision == head else f"schema {revision}, will become {head}"
    yield Finding("store", "ok", f"healthy, {state}, {size_mb:.1f} MB")


def _newest_backup(home: Path) -> Path | None:
    found = sorted((home / "backups").glob("*.db"), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def _files(home: Path) -> Iterator[Finding]:
    wide = [
        path
        for path in (home / "kpay.db", home / "secrets.toml")
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if wide:
        names = " ".join(map(str, wide))
        yield Finding("files", "warning", f"others can read {names}", f"chmod 600 {names}")
    else:
        yield Finding("files", "ok", "only you can read the store and the secrets")


def _keys(home: Path, settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    key = find("stripe_key", home, environment)
    step = "read -rs KPAY_STRIPE_KEY && export KPAY_STRIPE_KEY"
    if key is None:
        yield Finding("stripe key", "warning", "no key is set: nothing can be sold or synced", step)
        return
    text = key.reveal()
    if not text.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
        yield Finding("stripe key", "broken", "the key does not look like a secret key", step)
    elif "_live_" in text and not settings.live:
        yield Finding("stripe key", "warning", "a live key, but live = false: kpay will only read")
    else:
        mode = "live" if "_live_" in text else "test"
        yield Finding("stripe key", "ok", f"a {mode} key is set")


def _mail(
    home: Path, settings: Settings, open_probes: Callable[[], MailProbes]
) -> Iterator[Finding]:
    missing = [key for key in ("mail_from", "postal_address") if not getattr(settings, key)]
    if settings.mail == "smtp" and not settings.smtp_url:
        missing.append("smtp_url")
    if missing:
        step = f"$EDITOR {home / 'kpay.toml'}"
        yield Finding(
            "mail", "warning", f"no campaign can be sent without {', '.join(missing)}", step
        )
    elif settings.mail == "outbox":
        yield Finding("mail", "ok", "messages are written to outbox/, not sent")
    else:
        way = "Resend" if settings.mail == "resend" else "SMTP"
        yield Finding("mail", "ok", f"messages are sent over {way}")
        yield from examine_mail(settings, open_probes())


def _disk(home: Path) -> Iterator[Finding]:
    free_mb = shutil.disk_usage(home).free // 1_000_000
    if free_mb < LOW_DISK_MB:
        yield Finding("disk", "warning", f"only {free_mb} MB are free", f"df -h {home}")
    else:
        yield Finding("disk", "ok", f"{free_mb / 1000:,.1f} GB free")


def _sqlite() -> Iterator[Finding]:
    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info < (3, 51, 3):
        text = f"SQLite {version} has a known WAL flaw; kpay's own lock guards against it"
        yield Finding("sqlite", "ok", text)
    else:
        yield Finding("sqlite", "ok", f"SQLite {version}")


def _models() -> Iterator[Finding]:
    """Import LightGBM in a child: without the system's OpenMP library it cannot be loaded."""
    done = subprocess.run(
        [sys.executable, "-c", "import lightgbm; print(lightgbm.__version__)"],
        capture_output=True,
        text=True,
        timeout=IMPORT_TIMEOUT_S,
        check=False,
    )
    if done.returncode == 0:
        threads = f"up to {min(MOST_THREADS, free_cores())} threads for large jobs"
        yield Finding("models", "ok", f"LightGBM {done.stdout.strip()}, on the CPU, {threads}")
    else:
        step = "sudo apt-get install libgomp1   # macOS: brew install libomp"
        yield Finding("models", "broken", "LightGBM cannot be loaded: OpenMP is missing", step)


def _model_files(home: Path) -> Iterator[Finding]:
    """Name the models whose file is gone: a champion among them stops scoring."""
    runs = _runs(home / "kpay.db")
    gone = [row for row in runs if not model_files.is_there(home / "models", row["run"])]
    if gone:
        names = ", ".join(row["run"] for row in gone)
        champions = [row for row in gone if row["is_champion"]]
        step = f"kpay train --target {champions[0]['target']}" if champions else ""
        yield Finding("model files", "warning", f"no file any more of {names}", step)


def _runs(path: Path) -> list[dict[str, Any]]:
    """Return the model runs of a healthy store; what ails another the check of the store says."""
    try:
        if not path.exists() or not schema.is_newest(path):
            return []
        with closing(Store(path)) as store, store.reading() as connection:
            return learning.all_runs(connection)
    except StoreCorrupt:
        return []


def _work(home: Path) -> Iterator[Finding]:
    known = heartbeat.read(home)
    if "sync" in known:
        yield Finding("last sync", "ok", known["sync"])
    else:
        yield Finding("last sync", "warning", "never", "kpay sync")
