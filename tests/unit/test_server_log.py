"""A server's own log: what it took, in its own dialect."""

from __future__ import annotations

import pytest

from kpay.domain.server_log import ServerLog

ONE, TWO = "abcdefgh2345@bakery.example", "zyxwvuts7654@bakery.example"


def accepted(text: str) -> set[str]:
    log = ServerLog({ONE, TWO})
    log.read(text.splitlines())
    return log.accepted


@pytest.mark.parametrize(
    "line",
    [
        f"A\t1790000000000\t3\t1\t<{ONE}>\tli@readers.example\t14000",
        f"2026-11-22 20:11:03 1rAbCd-0001Xy-2Z <= ana@bakery.example H=host P=esmtp S=9 id={ONE}",
        f'{{"event":"delivered","message":{{"headers":{{"message-id":"{ONE}"}}}}}}',
        f"2026-11-22T20:11:03Z,delivered,<{ONE}>,li@readers.example",
        f"accepted <{ONE}> for dropped@readers.example",
    ],
)
def test_a_line_that_names_a_message_says_that_it_was_taken(line: str) -> None:
    assert accepted(line) == {ONE}


def test_postfix_names_a_message_before_it_has_it() -> None:
    begun = f"Nov 22 20:11:03 mx postfix/cleanup[77]: 4F3C2A1B: message-id=<{ONE}>\n"
    assert accepted(begun) == set()
    queued = (
        "Nov 22 20:11:03 mx postfix/qmgr[7]: 4F3C2A1B: from=<a@b.example>, size=9 (queue active)"
    )
    assert accepted(begun + queued) == {ONE}
    sent = "Nov 22 20:11:04 mx postfix/smtp[9]: 4F3C2A1B: to=<li@r.example>, status=sent (250 ok)"
    assert accepted(begun + sent) == {ONE}
    other = "Nov 22 20:11:04 mx postfix/smtp[9]: 5F3C2A1C: to=<li@r.example>, status=sent (250 ok)"
    assert accepted(begun + other) == set()


def test_words_of_refusal_are_no_proof_of_anything() -> None:
    log = ServerLog({ONE, TWO})
    log.read([f"554 message <{ONE}> rejected: policy", f"took <{TWO}>"])
    assert (log.accepted, log.doubtful) == ({TWO}, {ONE})


def test_what_is_not_ours_is_passed_over() -> None:
    assert accepted("took <other@bakery.example>\n\x00\xff binary @ noise\n") == set()
