"""What receivers will make of a sender's records; what could not be asked is never called fine."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from kpay.config import Settings
from kpay.domain.finding import Finding
from kpay.domain.mail_dns import bounce_remark, dkim_remark, dmarc_remark, rsa_bits, spf_remark
from kpay.errors import CredentialsMissing, RemoteProblem
from kpay.services.examining_mail import MailProbes, examine_mail
from tests.fakes.mail_rooms import LETTERHEAD
from tests.fakes.name_server import Names

DOMAIN = "bakery.example"


def der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def rsa_key(bits: int, *, is_bare: bool = False) -> str:
    """Return a key of a length, as it stands in DNS; its number is no real modulus."""
    modulus = b"\x00" + ((1 << (bits - 1)) | 1).to_bytes((bits + 7) // 8, "big")
    key = der(0x30, der(0x02, modulus) + der(0x02, b"\x01\x00\x01"))
    rsa = der(0x30, bytes.fromhex("06092a864886f70d0101010500"))
    whole = key if is_bare else der(0x30, rsa + der(0x03, b"\x00" + key))
    return base64.b64encode(whole).decode()


def texts(**records: list[str]) -> Callable[[str], list[str]]:
    """Look names up that are written with _ for the dots of bakery.example."""
    known = {name.replace("__", "."): found for name, found in records.items()}
    return lambda name: known.get(name, [])


def spf(*found: str, **others: list[str]) -> tuple[str, str]:
    remark = spf_remark(DOMAIN, texts(bakery__example=list(found), **others))
    return remark.verdict, remark.sentence


@pytest.mark.parametrize(
    ("records", "verdict", "words"),
    [
        (["v=spf1 ip4:1.2.3.4 -all", "other"], "ok", "0 of 10"),
        (["V=SPF1 A MX -ALL"], "ok", "2 of 10"),
        (["v=spf1 include:a__x a/24 mx:b exists:%{i}.c ptr ip6::: ~all".replace("__", ".")], "broken", "has none"),
        ([], "warning", "no SPF record"),
        (["v=spf10 -all"], "warning", "no SPF record"),
        (["v=spf1 -all", "v=spf1 a -all"], "broken", "2 SPF records"),
        (["v=spf1 +all"], "warning", "everybody"),
        (["v=spf1 all"], "warning", "everybody"),
        (["v=spf1 include:bakery.example -all"], "broken", "circle"),
        (["v=spf1 " + "a:x.y " * 10 + "-all"], "ok", "10 of 10"),
        (["v=spf1 " + "a:x.y " * 11 + "-all"], "broken", "more than 10"),
    ],
)  # fmt: skip
def test_spf_is_one_record_of_ten_look_ups(records: list[str], verdict: str, words: str) -> None:
    found, sentence = spf(*records)
    assert found == verdict
    assert words in sentence


def test_the_look_ups_of_what_is_included_count() -> None:
    relay = {"relay__example": ["v=spf1 a mx include:deep.example -all"]}
    deep = {"deep__example": ["v=spf1 a a a a redirect=last.example"]}
    last = {"last__example": ["v=spf1 a a -all"]}
    assert spf("v=spf1 include:relay.example -all", **relay, **deep, **last)[0] == "broken"
    last = {"last__example": ["v=spf1 a -all"]}
    verdict, sentence = spf("v=spf1 include:relay.example -all", **relay, **deep, **last)
    assert (verdict, "10 of 10" in sentence) == ("ok", True)


@pytest.mark.parametrize(
    ("record", "verdict", "words"),
    [
        (f"v=DKIM1; k=rsa; p={rsa_key(2048)}", "ok", "2048 bits"),
        (f"v=DKIM1; p={rsa_key(4096)[:80]} {rsa_key(4096)[80:]}", "ok", "4096 bits"),
        (f"p={rsa_key(2048, is_bare=True)}", "ok", "2048 bits"),
        ("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "ok", "ed25519"),
        (f"v=DKIM1; p={rsa_key(1024)}", "warning", "1024 bits"),
        (f"v=DKIM1; p={rsa_key(512)}", "broken", "512 bits"),
        ("v=DKIM1; p=", "broken", "revoked"),
        ("v=DKIM1; p=AAAA", "broken", "cannot be read"),
        (f"v=DKIM1; p={rsa_key(2048)[:100]}", "broken", "cannot be read"),
        ("v=DKIM1; p=!!!", "broken", "cannot be read"),
        ("hello", "broken", "no DKIM key"),
    ],
)
def test_a_dkim_key_is_there_and_long_enough(record: str, verdict: str, words: str) -> None:
    remark = dkim_remark(DOMAIN, "s1", texts(s1___domainkey__bakery__example=[record]))
    assert (remark.verdict, words in remark.sentence) == (verdict, True)


def test_a_circle_is_told_from_one_record_that_is_included_twice() -> None:
    one, two = ["v=spf1 include:two.example -all"], ["v=spf1 include:one.example -all"]
    _, sentence = spf("v=spf1 include:one.example -all", one__example=one, two__example=two)
    assert "circle" in sentence
    shared = {"two__example": ["v=spf1 ip4:1.2.3.4 -all"], "one__example": one}
    verdict, _ = spf("v=spf1 include:one.example include:two.example -all", **shared)
    assert verdict == "ok"


def test_two_keys_in_one_place_and_none_are_broken() -> None:
    place = {"s1___domainkey__bakery__example": [f"p={rsa_key(2048)}"] * 2}
    assert dkim_remark(DOMAIN, "s1", texts(**place)).verdict == "broken"
    assert dkim_remark(DOMAIN, "s1", texts()).verdict == "broken"


@pytest.mark.parametrize("size", [0, 1, 5, 40, 200])
def test_a_key_that_is_cut_off_is_no_key(size: int) -> None:
    whole = base64.b64decode(rsa_key(2048))
    assert rsa_bits(base64.b64encode(whole[:size]).decode()) is None


@pytest.mark.parametrize(
    ("record", "domain", "envelope", "verdict"),
    [
        ("v=DMARC1; p=none", DOMAIN, DOMAIN, "ok"),
        ("v=DMARC1; p=reject", DOMAIN, "bounces.bakery.example", "ok"),
        ("v=DMARC1; p=reject", "news.bakery.example", "bounces.bakery.example", "ok"),
        ("v=DMARC1; p=reject", "news.bakery.example", DOMAIN, "ok"),
        ("v=DMARC1; p=reject; aspf=s", DOMAIN, "bounces.bakery.example", "warning"),
        ("v=DMARC1; p=reject", DOMAIN, "relay.example", "warning"),
        ("v=DMARC1; p=reject", DOMAIN, "otherbakery.example", "warning"),
        ("v=DMARC1", DOMAIN, DOMAIN, "broken"),
        ("v=spf1 -all", DOMAIN, DOMAIN, "warning"),
    ],
)
def test_dmarc_has_a_policy_and_the_envelope_agrees(
    record: str, domain: str, envelope: str, verdict: str
) -> None:
    lookup = texts(_dmarc__bakery__example=[record])
    assert dmarc_remark(domain, envelope, lookup).verdict == verdict


def test_two_dmarc_records_are_broken() -> None:
    lookup = texts(_dmarc__bakery__example=["v=DMARC1; p=none"] * 2)
    assert dmarc_remark(DOMAIN, DOMAIN, lookup).verdict == "broken"


def test_bounces_need_somebody_who_takes_them() -> None:
    assert bounce_remark(DOMAIN, lambda name: ["mx.bakery.example."]).verdict == "ok"
    assert bounce_remark(DOMAIN, lambda name: []).verdict == "warning"
    assert bounce_remark(DOMAIN, lambda name: ["."]).verdict == "warning"


@dataclass
class Relay:
    """A way out that answers, or raises."""

    is_live: bool = True
    where: str = "mail.example.com:587"
    deduplicates_for: None = None
    error: Exception | None = None

    def connect(self) -> Relay:
        if self.error:
            raise self.error
        return self

    def deliver(self, envelope: object) -> None:
        raise AssertionError("nothing is sent by an examination")

    def close(self) -> None:
        return


SETTINGS = Settings(
    mail="smtp",
    mail_from="ana@bakery.example",
    bounce_address="b@bakery.example",
    unsubscribe_url="https://bakery.example/u",
    dkim_selector="s1",
)
GOOD = Names(
    {
        DOMAIN: ["v=spf1 mx -all"],
        f"s1._domainkey.{DOMAIN}": [f"v=DKIM1; p={rsa_key(2048)}"],
        f"resend._domainkey.{DOMAIN}": [f"v=DKIM1; p={rsa_key(2048)}"],
        f"_dmarc.{DOMAIN}": ["v=DMARC1; p=none"],
    },
    {DOMAIN: ["mx.bakery.example."]},
)


def examined(
    settings: Settings = SETTINGS,
    names: Names = GOOD,
    relay: Relay | None = None,
    problem: str | None = None,
) -> dict[str, Finding]:
    probes = MailProbes(
        names,
        replace(LETTERHEAD, bounce_address=settings.bounce_address),
        lambda: relay or Relay(),  # type: ignore[arg-type,return-value]
        lambda: problem,
    )
    return {finding.check: finding for finding in examine_mail(settings, probes)}


def test_a_sender_in_good_order_is_fine() -> None:
    found = examined()
    assert set(found) == {"SPF", "DKIM", "DMARC", "bounces", "one-click unsubscribe", "way out"}
    assert {finding.verdict for finding in found.values()} == {"ok"}


def test_without_a_network_nothing_is_called_fine_or_broken() -> None:
    away = Relay(error=RemoteProblem("no answer", "kpay config smtp_url"))
    found = examined(names=Names(is_silent=True), relay=away, problem="it cannot be reached")
    assert {finding.verdict for finding in found.values()} == {"not checked"}


def test_silence_of_one_server_is_its_own_where_others_answer() -> None:
    away = Relay(error=RemoteProblem("no answer", "kpay config smtp_url"))
    found = examined(relay=away, problem="it redirects")
    assert found["way out"].verdict == found["one-click unsubscribe"].verdict == "broken"
    assert "it redirects" in found["one-click unsubscribe"].sentence
    refused = examined(relay=Relay(error=CredentialsMissing("wrong password", "read")))
    assert (refused["way out"].verdict, refused["way out"].next_step) == ("broken", "read")


def test_what_is_not_set_is_said() -> None:
    found = examined(replace(SETTINGS, dkim_selector="", unsubscribe_url=""))
    assert found["DKIM"].verdict == "not checked"
    assert found["one-click unsubscribe"].verdict == "warning"
    broken = examined(replace(SETTINGS, bounce_address="nobody"))
    assert list(broken) == ["sender"]


def test_resend_is_asked_about_its_own_key_and_not_about_the_envelope() -> None:
    found = examined(replace(SETTINGS, mail="resend", dkim_selector=""), relay=Relay(is_live=False))
    assert found["DKIM"].verdict == "ok"
    assert "resend._domainkey" in found["DKIM"].sentence
    assert found["SPF"].verdict == "not checked"
    assert "TEST" in found["way out"].sentence
