"""What every way out of the house promises: a folder, an SMTP server."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from kpay.adapters.outbox_mailer import OutboxMailer
from kpay.adapters.smtp_mailer import SmtpMailer, parse_server
from kpay.domain.delivery import Fate
from kpay.errors import RemoteProblem, SettingsInvalid
from kpay.ports import Envelope, Mailer
from tests.fakes.smtp_sink import Faults, SmtpSink

CONTENT = b"Subject: x\r\n\r\n.first\r\nend\r\n"


def envelope(number: int = 1) -> Envelope:
    return Envelope("ana@b.example", f"r{number}@r.example", f"<{number}abc@b.example>", CONTENT)


@pytest.fixture
def sink() -> SmtpSink:
    return SmtpSink(Faults())


@pytest.fixture(params=["outbox", "smtp"])
def mailer(request: pytest.FixtureRequest, tmp_path: Path, sink: SmtpSink) -> Iterator[Mailer]:
    if request.param == "outbox":
        yield OutboxMailer(tmp_path / "outbox")
        return
    with sink.serving() as url:
        yield SmtpMailer(url, lambda: "")


def test_messages_are_accepted_one_after_another(mailer: Mailer) -> None:
    connection = mailer.connect()
    fates = [connection.deliver(envelope(number)).fate for number in range(3)]
    connection.close()
    assert fates == [Fate.ACCEPTED] * 3
    assert not mailer.is_live


def test_the_outbox_keeps_private_files_and_writes_no_message_twice(tmp_path: Path) -> None:
    mailer = OutboxMailer(tmp_path / "outbox")
    for content in (CONTENT, b"another"):
        sent = Envelope("ana@b.example", "r1@r.example", "<1abc@b.example>", content)
        assert mailer.connect().deliver(sent).fate is Fate.ACCEPTED
    (file,) = (tmp_path / "outbox").iterdir()
    assert file.read_bytes() == CONTENT
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("identity", ["<../../evil@x>", "<a/b@x>", "<面包@x>", "<@x>"])
def test_no_identity_leads_out_of_the_outbox(tmp_path: Path, identity: str) -> None:
    mailer = OutboxMailer(tmp_path / "outbox")
    sent = Envelope("ana@b.example", "r1@r.example", identity, CONTENT)
    assert mailer.connect().deliver(sent).fate is Fate.ACCEPTED
    assert [path.parent.name for path in tmp_path.rglob("*.eml")] == ["outbox"]


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        ("450 4.2.1 later", Fate.DEFERRED),
        ("421 4.7.0 busy", Fate.DEFERRED),
        ("550 5.1.1 nobody", Fate.NO_SUCH_ADDRESS),
        ("550 5.2.1 disabled", Fate.NO_SUCH_ADDRESS),
        ("552 5.2.2 full", Fate.REFUSED),
        ("554 no", Fate.REFUSED),
        ("550 5.7.1 blocked", Fate.NOT_ALLOWED),
        ("530 authenticate", Fate.STOPPED),
    ],
)
def test_an_answer_decides_a_fate_and_the_connection_goes_on(
    sink: SmtpSink, answer: str, fate: Fate
) -> None:
    sink.faults.rcpt = {"r1@r.example": answer}
    with sink.serving() as url:
        connection = SmtpMailer(url, lambda: "").connect()
        reply = connection.deliver(envelope(1))
        assert reply.fate is fate
        assert reply.words == answer
        assert connection.deliver(envelope(2)).fate is Fate.ACCEPTED
        connection.close()
    assert sink.taken == [("r2@r.example", CONTENT)]


def test_the_side_of_the_dot_decides_whether_it_may_go_again(sink: SmtpSink) -> None:
    sink.faults.drop_before_dot = {"r1@r.example"}
    sink.faults.drop_after_taking = {"r2@r.example"}
    with sink.serving() as url:
        connection = SmtpMailer(url, lambda: "").connect()
        fates = [connection.deliver(envelope(number)).fate for number in (1, 2, 3, 1)]
        connection.close()
    assert fates == [Fate.DEFERRED, Fate.UNKNOWN, Fate.ACCEPTED, Fate.ACCEPTED]


def test_nobody_answering_is_told_with_the_address() -> None:
    with pytest.raises(RemoteProblem, match=r"127\.0\.0\.1:9"):
        SmtpMailer("smtp://127.0.0.1:9", lambda: "").connect()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "must look like"),
        ("http://x.example", "must look like"),
        ("smtp://", "must look like"),
        ("smtp://u:pa55word@x.example", "holds a password"),
        ("smtp://x.example?tls=none", "unencrypted"),
        ("smtp://x.example?tls=maybe", "none of"),
        ("smtp://x.example:999999", "cannot be read"),
    ],
)
def test_a_wrong_address_of_the_server_is_explained(url: str, words: str) -> None:
    with pytest.raises(SettingsInvalid, match=words) as caught:
        SmtpMailer(url, lambda: "")
    assert "pa55word" not in caught.value.message


def test_real_mail_is_encrypted_and_a_test_stays_on_this_machine() -> None:
    real = parse_server("smtp://ana%40b.example@mail.example.com")
    assert (real.user, real.port, real.tls) == ("ana@b.example", 587, "starttls")
    assert not real.is_loopback
    assert parse_server("smtps://mail.example.com").port == 465
    for here in ("smtp://localhost:25", "smtp://127.0.0.9:25", "smtp://[::1]:25"):
        assert parse_server(here).is_loopback
        assert parse_server(here).tls == "none"
    assert SmtpMailer("smtp://mail.example.com", lambda: "").is_live
