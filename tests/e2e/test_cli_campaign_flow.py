"""`kpay campaign pause|resume|cancel|reconcile` as people and scripts meet them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.mail_victim import LETTER, MAIL
from tests.fakes.smtp_sink import Faults, SmtpSink

EMAILS = [f"r{number}@r.example" for number in range(30)]


@pytest.fixture
def home(business: Path, kpay: Callable[..., Any]) -> Path:
    people = business / "people.csv"
    people.write_text("email,name\n" + "".join(f"{one},Li\n" for one in EMAILS), encoding="utf-8")
    (business / "campaigns" / "bread.md").write_text(LETTER, encoding="utf-8")
    assert kpay("import", "subscribers", str(people), home=business).exit_code == 0
    return business


def run(kpay: Callable[..., Any], home: Path, *words: str, **env: str) -> tuple[int, Any]:
    result = kpay("campaign", *words, "--json", home=home, env={**MAIL, **env})
    return result.exit_code, json.loads(result.stdout or result.stderr)


def test_a_campaign_is_paused_resumed_and_cancelled(home: Path, kpay: Callable[..., Any]) -> None:
    mail = {"KPAY_MAIL": "outbox", "KPAY_MAIL_PER_HOUR": "10"}
    assert run(kpay, home, "pause", "bread")[0] == 4
    code, sent = run(kpay, home, "send", "bread", "--yes", **mail)
    assert (code, sent["sent"], sent["queued"]) == (3, 10, 20)
    assert sent["goes_on_at"] == "2026-10-01T10:00:00Z"
    code, paused = run(kpay, home, "pause", "bread")
    assert (code, paused["schema"], paused["waiting"]) == (0, "kpay.campaign.pause/1", 20)
    code, refused = run(kpay, home, "send", "bread", "--yes", **mail)
    assert (code, refused["error"]["hint"]) == (4, "kpay campaign resume bread")
    assert run(kpay, home, "resume", "bread")[1]["waiting"] == 20
    code, sent = run(kpay, home, "send", "bread", "--yes", KPAY_NOW="2026-10-01T10:00:00Z", **mail)
    assert sent["sent"] == 20
    assert run(kpay, home, "cancel", "bread")[0] == 2, "it asks, and nobody is there"
    assert run(kpay, home, "cancel", "bread", "--yes")[0] == 0
    for verb in ("resume", "send"):
        assert (
            run(kpay, home, verb, "bread", *(["--yes"] if verb == "send" else []), **mail)[0] == 4
        )
    assert len(list((home / "outbox").glob("*.eml"))) == 20


def test_what_is_uncertain_is_listed_and_settled(home: Path, kpay: Callable[..., Any]) -> None:
    sink = SmtpSink(Faults(drop_after_taking={EMAILS[3]}, drop_at_dot={EMAILS[4], EMAILS[5]}))
    with sink.serving() as url:
        mail = {"KPAY_SMTP_URL": url}
        assert run(kpay, home, "send", "bread", "--yes", **mail)[0] == 3
        code, listed = run(kpay, home, "reconcile", "bread")
        assert (code, [one["email"] for one in listed["uncertain"]]) == (0, EMAILS[3:6])
        log = home / "mail.log"
        log.write_text("Nov 22 mx postfix/qmgr[1]: 4F3C2A: removed\n", encoding="utf-8")
        code, report = run(kpay, home, "reconcile", "bread", "--log", str(log))
        assert (code, len(report["uncertain"])) == (3, 3)
        assert "proves nothing" in report["problem"]
        wishes = ("--sent", EMAILS[3], "--unsent", EMAILS[4])
        code, report = run(kpay, home, "reconcile", "bread", *wishes)
        assert (code, report["sent"], report["queued"]) == (0, 1, 1)
        assert run(kpay, home, "reconcile", "bread", "--log", str(log), "--sent", "a@b.c")[0] == 2
        assert run(kpay, home, "reconcile", "bread", "--resend-uncertain")[0] == 2
        assert (
            run(kpay, home, "reconcile", "bread", "--resend-uncertain", "--yes")[1]["queued"] == 1
        )
        code, sent = run(kpay, home, "send", "bread", "--yes", **mail)
        assert (code, sent["sent"], sent["uncertain"]) == (0, 30, 0)
    assert not sink.twice
