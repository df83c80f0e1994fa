"""What came back is read from its fields; what is not clear is left to a person."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpay.domain.bounces import Severity, judged
from kpay.domain.mail_reading import MailUnreadable
from kpay.domain.returned_mail import Returned, ReturnedKind, read_returned
from tests.fakes.notices import complaint, dsn, exim, letter, qmail

REFERENCE = "abcdefghijklmnopqrstuvwxyz234567"
OTHER = "b" * 32
SENT = (
    "From: Ana <ana@bakery.example>\nTo: li@readers.example\nSubject: Bread\n"
    f"Message-ID: <{REFERENCE}@bakery.example>\nX-Kpay-Token: signed.token\n"
)
LI = "li@readers.example"


def severity(returned: Returned, email: str = LI) -> Severity:
    found = judged(returned.failures, email)
    assert found is not None
    return found[0]


@pytest.mark.parametrize(
    ("status", "action", "said", "meaning"),
    [
        ("5.1.1", "failed", "550 5.1.1 no such user", Severity.HARD),
        ("5.1.10", "failed", "", Severity.HARD),
        ("5.1.2", "failed", "", Severity.HARD),
        ("5.2.1", "failed", "550 5.2.1 disabled", Severity.HARD),
        ("5.0.0", "failed", "550 5.1.1 no such user", Severity.HARD),
        ("5.2.2", "failed", "552 5.2.2 full", Severity.SOFT),
        ("4.4.7", "failed", "", Severity.SOFT),
        ("4.2.2", "failed", "", Severity.SOFT),
        ("5.0.0", "failed", "", Severity.SOFT),
        ("5.4.1", "failed", "550 5.4.1 access denied", Severity.SOFT),
        ("5.1.1", "failed", "550 5.1.1 mailbox is full", Severity.SOFT),
        ("5.0.0", "failed", "552 Quota exceeded", Severity.SOFT),
        ("5.7.1", "failed", "550 5.7.1 blocked", Severity.ABOUT_US),
        ("5.7.515", "failed", "", Severity.ABOUT_US),
        ("5.1.8", "failed", "", Severity.ABOUT_US),
        ("5.3.4", "failed", "", Severity.ABOUT_US),
        ("4.4.7", "delayed", "", Severity.DELAYED),
        ("5.1.1", "delayed", "", Severity.DELAYED),
        ("2.0.0", "delivered", "", Severity.ARRIVED),
        ("2.0.0", "relayed", "", Severity.ARRIVED),
        ("nonsense", "failed", "", Severity.UNCLEAR),
        ("5.1.1", "maybe", "", Severity.UNCLEAR),
    ],
)
def test_action_and_status_decide_what_a_bounce_means(
    status: str, action: str, said: str, meaning: Severity
) -> None:
    returned = read_returned(dsn(SENT, status=status, action=action, said=said))
    assert returned.kind is ReturnedKind.BOUNCE
    assert severity(returned) is meaning


def test_a_bounce_names_the_message_in_three_ways() -> None:
    returned = read_returned(dsn(SENT, to=f"bounces+{OTHER}@bakery.example"))
    assert returned.references == (OTHER, REFERENCE)
    assert returned.tokens == ("signed.token",)


def test_a_forwarded_mailbox_that_is_gone_is_no_hard_bounce_of_ours() -> None:
    returned = read_returned(dsn(SENT, recipient="li@elsewhere.example"))
    assert severity(returned) is Severity.SOFT
    named = dsn(SENT, recipient="li@elsewhere.example", original="li@readers.example")
    assert severity(read_returned(named)) is Severity.HARD


def test_recipients_are_compared_in_every_spelling() -> None:
    assert severity(read_returned(dsn(SENT, recipient="<LI@Readers.Example>"))) is Severity.HARD
    plus = dsn(SENT, recipient="x@y.example", original="li+2Bnews@readers.example")
    assert severity(read_returned(plus), "li+news@readers.example") is Severity.HARD
    idn = dsn(SENT, recipient="li@xn--bcher-kva.example")
    assert severity(read_returned(idn), "li@bücher.example") is Severity.HARD


def test_of_several_recipients_ours_is_the_one_that_counts() -> None:
    content = dsn(SENT, recipient="mo@readers.example").replace(
        b"Status: 5.1.1\n",
        b"Status: 5.1.1\n\nFinal-Recipient: rfc822; li@readers.example\n"
        b"Action: delayed\nStatus: 4.4.1\n",
    )
    assert severity(read_returned(content)) is Severity.DELAYED


@pytest.mark.parametrize(
    ("content", "meaning"),
    [
        (qmail(SENT), Severity.HARD),
        (qmail(SENT, words="Remote host said: 552 5.2.2 over quota"), Severity.SOFT),
        (qmail(SENT, words="I gave up. (#5.7.1)"), Severity.ABOUT_US),
        (qmail(SENT, words="Sorry, it did not work."), Severity.UNCLEAR),
        (qmail(SENT, words="550 5.1.1 unknown, then 452 4.2.2 full"), Severity.UNCLEAR),
        (qmail(SENT, words="550 5.1.1 unknown, 550 5.7.1 blocked"), Severity.UNCLEAR),
        (qmail(SENT, words="version 5.1.1 of our software, by 5.1.1.9"), Severity.UNCLEAR),
        (exim(SENT, words="550 5.1.1 User unknown"), Severity.HARD),
        (exim(SENT, words="550-5.1.1 User unknown"), Severity.HARD),
        (exim(SENT, words="550 no such person"), Severity.UNCLEAR),
        (qmail(SENT, recipient="else@where.example"), Severity.SOFT),
    ],
)
def test_a_bounce_in_words_is_believed_where_its_codes_agree(
    content: bytes, meaning: Severity
) -> None:
    returned = read_returned(content)
    assert returned.kind is ReturnedKind.BOUNCE
    assert severity(returned) is meaning
    assert returned.references == (REFERENCE,)
    assert returned.tokens == ("signed.token",)


def test_an_old_exchange_notice_is_read_by_its_code() -> None:
    text = (
        "Your message did not reach some or all of the intended recipients.\n"
        "The e-mail account does not exist at the organization.\n"
        "<mx.example #5.1.1 smtp;550 5.1.1 RESOLVER.ADR.RecipNotFound; not found>\n"
    )
    returned = read_returned(letter(text, From="postmaster@mx.example", Subject="Undeliverable"))
    assert severity(returned) is Severity.HARD
    assert not returned.references


def test_complaints_are_told_from_other_reports() -> None:
    returned = read_returned(complaint(SENT))
    assert returned.kind is ReturnedKind.COMPLAINT
    assert (returned.references, returned.tokens) == ((REFERENCE,), ("signed.token",))
    assert read_returned(complaint(SENT, kind="not-spam")).kind is ReturnedKind.OTHER
    assert read_returned(complaint(SENT, kind="auth-failure")).kind is ReturnedKind.OTHER


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("unsubscribe ImEi.x_-y", ReturnedKind.UNSUBSCRIBE),
        ("UNSUBSCRIBE ImEi.x_-y ", ReturnedKind.UNSUBSCRIBE),
        ("=?utf-8?q?unsubscribe_ImEi.x_-y?=", ReturnedKind.OTHER),
        ("=?utf-8?b?dW5zdWJzY3JpYmUgSW1FaS54Xy15?=", ReturnedKind.UNSUBSCRIBE),
        ("confirm ImEi.x_-y", ReturnedKind.CONFIRM),
        ("Re: unsubscribe ImEi.x_-y", ReturnedKind.OTHER),
        ("please unsubscribe ImEi.x_-y now", ReturnedKind.OTHER),
        ("unsubscribe", ReturnedKind.OTHER),
    ],
)
def test_a_wish_stands_alone_in_the_subject(subject: str, kind: ReturnedKind) -> None:
    returned = read_returned(letter(Subject=subject))
    assert returned.kind is kind
    assert returned.tokens == (() if kind is ReturnedKind.OTHER else ("ImEi.x_-y",))


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner=x"},
        {"X_Autoreply": "yes"},
        {"Precedence": "auto_reply"},
        {"Subject": "Automatic reply: Bread"},
        {"Subject": "Out of Office: Bread"},
    ],
)
def test_automatic_answers_are_told_from_people(headers: dict[str, str]) -> None:
    answer = letter(In_Reply_To=f"<{REFERENCE}@bakery.example>", **headers)
    returned = read_returned(answer)
    assert returned.kind is ReturnedKind.AUTOMATIC
    assert returned.references == (REFERENCE,)


def test_a_person_who_answers_is_a_reply_and_others_are_other_mail() -> None:
    reply = letter(References=f"<x@y> <{REFERENCE}@bakery.example>", Auto_Submitted="no")
    assert read_returned(reply).kind is ReturnedKind.REPLY
    assert read_returned(reply).references == (REFERENCE,)
    assert read_returned(letter()).kind is ReturnedKind.OTHER


def test_one_notice_has_one_fingerprint_wherever_it_is_kept() -> None:
    notice = dsn(SENT)
    windows = b"X-Mailbox: 7\r\n" + notice.replace(b"\n", b"\r\n")
    assert read_returned(notice).fingerprint == read_returned(windows).fingerprint
    assert (
        read_returned(dsn(SENT, identity="2@mx")).fingerprint != read_returned(notice).fingerprint
    )
    nameless = letter("One.\n")
    assert (
        read_returned(nameless).fingerprint
        == read_returned(nameless.replace(b"\n", b"\r\n")).fingerprint
    )
    assert read_returned(nameless).fingerprint != read_returned(letter("Two.\n")).fingerprint


NESTED = b"".join(
    b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (depth, depth)
    for depth in range(3000)
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   \n",
        b"no headers at all",
        b"From: a@b\n" + NESTED,
        b"From: a@b\nContent-Type: multipart/mixed; boundary=x\n\n"
        + b"--x\nContent-Type: text/html\n\nz\n" * 61,
        b"From: a@b\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\nz\n" * 90_000,
        b"From: a@b\nContent-Type: message/delivery-status\n\n" + b"a: b\n\n" * 150_000,
    ],
    ids=["empty", "blank", "words", "nested", "typed parts", "many parts", "many groups"],
)
def test_what_is_no_mail_or_a_bomb_is_refused_quickly(content: bytes) -> None:
    started = time.process_time()
    with pytest.raises(MailUnreadable):
        read_returned(content)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    "text",
    ["<" + "a@" * 50_000, "-" * 100_000, ">" * 100_000, "5.1." * 25_000, "550 " * 25_000],
)
def test_no_text_makes_reading_slow(text: str) -> None:
    started = time.process_time()
    read_returned(letter(text, From="MAILER-DAEMON@mx.example"))
    read_returned(dsn(SENT, said=text))
    assert time.process_time() - started < 2


def test_only_the_beginning_of_a_message_is_read() -> None:
    long = dsn(SENT + "\nx\n" + "y" * 3_000_000)
    assert severity(read_returned(long)) is Severity.HARD


PIECES = st.sampled_from(
    [
        b"\n", b"\r\n", b"\n\n", b"--=_part\n", b"--=_part--\n", b": ", b"=?utf-8?b?", b"?=", b"\x00", b"\xff",
        b"Content-Type: multipart/report; boundary==_part\n", b"Content-Type: message/delivery-status\n",
        b"Content-Type: message/rfc822\n", b"Content-Type: message/feedback-report\n", b"Content-Type: text/plain",
        b"; charset=", b"utf-7", b"idna", b"hex", b"Content-Transfer-Encoding: base64\n", b"uuencode", b"From: ",
        b"To: bounces+abcdefghijklmnopqrstuvwxyz234567@x.y\n", b"Subject: unsubscribe ", b"Action: failed\n",
        b"Status: 5.1.1\n", b"Final-Recipient: rfc822;", b"Message-ID: <", b"MAILER-DAEMON@", b"*0*=", b"'", b'"', b"(",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.lists(PIECES, max_size=40).map(b"".join)))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for one in (content, b"From: MAILER-DAEMON@x.y\n" + content, dsn(SENT) + content):
        try:
            returned = read_returned(one)
        except MailUnreadable:
            continue
        judged(returned.failures, LI)
        returned.subject.encode()
        returned.sender.encode()


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_notice_is_read_or_refused(data: st.DataObject) -> None:
    whole = data.draw(
        st.sampled_from([dsn(SENT), complaint(SENT), qmail(SENT), exim(SENT, words="550 5.1.1 x")])
    )
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
    try:
        read_returned(bytes(damaged))
    except MailUnreadable:
        return
