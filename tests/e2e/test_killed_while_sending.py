"""A run that is killed: nobody gets two, nobody is forgotten, and a log settles what is uncertain."""

from __future__ import annotations

import resource
import signal
import time
from pathlib import Path

from kpay.domain.pacing import USUAL_LIMITS
from kpay.services.sending import IN_FLIGHT_A_CONNECTION
from tests.fakes.mail_victim import MailVictim
from tests.fakes.smtp_sink import Faults, SmtpSink

READERS = [f"r{number}@r.example" for number in range(240)]
IN_FLIGHT = USUAL_LIMITS.connections * IN_FLIGHT_A_CONNECTION


def test_killed_and_interrupted_runs_go_on_where_they_stopped(tmp_path: Path) -> None:
    sink = SmtpSink(Faults(on_taken=lambda recipient: time.sleep(0.01)))
    with sink.serving() as url:
        victim = MailVictim(tmp_path / "business", url, READERS)
        assert victim.kill_at(sink, 40)
        assert victim.kill_at(sink, 100)
        polite = victim.start()
        while len(sink.taken) < 150 and polite.poll() is None:
            time.sleep(0.005)
        polite.send_signal(signal.SIGINT)
        polite.communicate(timeout=60)
        assert polite.returncode == 130
        code, report = victim.send()
        assert code == 3
        assert 0 < report["uncertain"] <= 2 * IN_FLIGHT
        assert report["sent"] + report["uncertain"] == len(READERS)
        assert not sink.twice
        settled = victim.reconcile(sink)
        assert settled["sent"] + settled["queued"] == report["uncertain"]
        assert settled["uncertain"] == []
        assert victim.send()[1]["sent"] == len(READERS)
    assert not sink.twice
    assert set(sink.recipients) == set(READERS)


def test_a_store_that_cannot_grow_sends_nothing_that_it_does_not_know(tmp_path: Path) -> None:
    sink = SmtpSink(Faults())
    with sink.serving() as url:
        victim = MailVictim(tmp_path / "business", url, READERS)
        size = (victim.home / "kpay.db").stat().st_size

        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 250_000, size + 250_000))

        code, error = victim.send(limit)
        assert code == 74
        assert error["error"]["code"] == "disk"
        victim.send()
        if victim.states()["uncertain"]:
            victim.reconcile(sink)
            victim.send()
    assert victim.states() == {"sent": len(READERS)}
    assert not sink.twice
