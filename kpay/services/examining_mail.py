"""Examining how mail leaves: what name servers say of the sender, the relay, one-click unsubscribing.

Without a network every check says that it was not made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from kpay.config import Settings
from kpay.domain.finding import Finding
from kpay.domain.letterhead import Letterhead
from kpay.domain.mail_dns import (
    NamesUnanswered,
    Remark,
    bounce_remark,
    dkim_remark,
    dmarc_remark,
    spf_remark,
)
from kpay.errors import KpayError, RemoteProblem
from kpay.ports import Mailer, NameLookups

NO_ANSWER: Final = "no name server answers"
OF_RESEND: Final = "resend"
"""The selector under which Resend asks for its key to be put."""


@dataclass(frozen=True)
class MailProbes:
    """How the world outside is asked; `one_click_problem` tries the unsubscribe address."""

    names: NameLookups
    letterhead: Letterhead
    open_mailer: Callable[[], Mailer]
    one_click_problem: Callable[[], str | None]


def examine_mail(settings: Settings, probes: MailProbes) -> Iterator[Finding]:
    """Check what receivers will check. Only for mail that leaves; raises nothing."""
    problem = probes.letterhead.problem()
    if problem:
        yield Finding("sender", "broken", problem, "kpay config mail_from")
        return
    domain = probes.letterhead.domain
    bounces = settings.bounce_address.rpartition("@")[2] or domain
    names = probes.names
    is_resend = settings.mail == OF_RESEND
    if is_resend:
        yield Finding("SPF", "not checked", "Resend sends from a domain of its own below yours")
    else:
        yield _asked("SPF", f"dig +short TXT {bounces}", lambda: spf_remark(bounces, names.texts))
    selector = settings.dkim_selector or (OF_RESEND if is_resend else "")
    if selector:
        look = f"dig +short TXT {selector}._domainkey.{domain}"
        yield _asked("DKIM", look, lambda: dkim_remark(domain, selector, names.texts))
    else:
        yield Finding(
            "DKIM", "not checked", "dkim_selector is not set", "kpay config dkim_selector"
        )
    look = f"dig +short TXT _dmarc.{domain}"
    yield _asked("DMARC", look, lambda: dmarc_remark(domain, bounces, names.texts))
    if not is_resend:
        look = f"dig +short MX {bounces}"
        yield _asked("bounces", look, lambda: bounce_remark(bounces, names.mail_servers))
    yield _one_click(settings, probes)
    yield _relay(settings, probes)


def _asked(check: str, look: str, judge: Callable[[], Remark]) -> Finding:
    try:
        remark = judge()
    except NamesUnanswered:
        return Finding(check, "not checked", NO_ANSWER, look)
    return Finding(check, remark.verdict, remark.sentence, "" if remark.verdict == "ok" else look)


def _is_cut_off(probes: MailProbes) -> bool:
    """Say whether this machine has no network at all, so that silence says nothing about others."""
    try:
        probes.names.texts(probes.letterhead.domain)
    except NamesUnanswered:
        return True
    return False


def _one_click(settings: Settings, probes: MailProbes) -> Finding:
    check, step = "one-click unsubscribe", "kpay config unsubscribe_url"
    if not settings.unsubscribe_url:
        sentence = "unsubscribe_url is not set: at most 100 people can be mailed at once"
        return Finding(check, "warning", sentence, step)
    problem = probes.one_click_problem()
    if problem is None:
        return Finding(check, "ok", f"{settings.unsubscribe_url} takes one-click requests")
    if _is_cut_off(probes):
        return Finding(check, "not checked", NO_ANSWER, step)
    return Finding(check, "broken", f"unsubscribe_url was tried, and {problem}", step)


def _relay(settings: Settings, probes: MailProbes) -> Finding:
    check = "way out"
    try:
        mailer = probes.open_mailer()
        mailer.connect().close()
    except RemoteProblem as error:
        if _is_cut_off(probes):
            return Finding(check, "not checked", NO_ANSWER, error.hint or "")
        return Finding(check, "broken", error.message, error.hint or "")
    except KpayError as error:
        return Finding(check, "broken", error.message, error.hint or "")
    if not mailer.is_live:
        return Finding(check, "ok", f"{mailer.where} answers; it is this machine, so mail is TEST")
    return Finding(check, "ok", f"{mailer.where} answers, encrypted, with a certificate that holds")
