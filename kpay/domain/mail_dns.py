"""What the world's name servers say about a sender: SPF, DKIM, DMARC and where bounces go.

SPF is RFC 7208, DKIM keys RFC 6376 and 8301, DMARC RFC 7489. Every judgement is a Remark; where the
name servers give no answer it is "not checked", which is something else than "ok".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

MOST_LOOK_UPS: Final = 10  # RFC 7208, section 4.6.4
ENOUGH_BITS: Final = 2048
FEWEST_BITS: Final = 1024
COUNTED: Final = ("a", "mx", "ptr", "exists")
RSA_NUMBERS: Final = 0x02

Verdict = Literal["ok", "warning", "broken", "not checked"]
Texts = Callable[[str], Sequence[str]]


class NamesUnanswered(Exception):
    """The name servers gave no answer, so nothing is known."""


class Remark(NamedTuple):
    """A judgement in one sentence."""

    verdict: Verdict
    sentence: str


class SpfWrong(Exception):
    """An SPF record that receivers take for an error."""


def spf_remark(domain: str, texts: Texts) -> Remark:
    """Judge the SPF record of the domain in the envelope sender."""
    try:
        record = _spf_record(domain, texts)
        if record is None:
            return Remark("warning", f"{domain} has no SPF record: it says who may send for it")
        count = sum(1 for _ in _look_ups(record, texts, {domain}))
    except SpfWrong as error:
        return Remark("broken", str(error))
    if count > MOST_LOOK_UPS:
        return Remark(
            "broken",
            f"the SPF record of {domain} takes more than {MOST_LOOK_UPS} look-ups, so it counts for nothing",
        )
    if "+all" in record.lower().split() or "all" in record.lower().split():
        return Remark("warning", f"the SPF record of {domain} lets everybody send for it (+all)")
    return Remark("ok", f"{domain} has one SPF record, {count} of {MOST_LOOK_UPS} look-ups")


def _spf_record(domain: str, texts: Texts) -> str | None:
    found = [text for text in texts(domain) if text.lower().split(" ")[0] == "v=spf1"]
    if len(found) > 1:
        raise SpfWrong(f"{domain} has {len(found)} SPF records; receivers want exactly one")
    return found[0] if found else None


def _look_ups(record: str, texts: Texts, seen: set[str]) -> Iterator[str]:
    """Yield each look-up that a record asks for, those of its includes too, until it is too many."""
    for number, domain in enumerate(_asked(record, texts, seen)):
        yield domain
        if number >= MOST_LOOK_UPS:
            return


def _asked(record: str, texts: Texts, seen: set[str]) -> Iterator[str]:
    for term in record.lower().split()[1:]:
        word = term.lstrip("+-~?")
        name, _, value = word.replace("=", ":", 1).partition(":")
        if name.split("/")[0] in COUNTED:
            yield word
        elif name in ("include", "redirect") and value:
            yield word
            yield from _included(value, texts, seen)


def _included(domain: str, texts: Texts, seen: set[str]) -> Iterator[str]:
    if "%" in domain:  # a macro: only the receiver can fill it in
        return
    if domain in seen:
        raise SpfWrong(f"the SPF record includes {domain} in a circle")
    record = _spf_record(domain, texts)
    if record is None:
        raise SpfWrong(f"the SPF record includes {domain}, which has none")
    yield from _asked(record, texts, seen | {domain})


def dkim_remark(domain: str, selector: str, texts: Texts) -> Remark:
    """Judge the public key with which receivers check signatures."""
    name = f"{selector}._domainkey.{domain}"
    found = [_tags(text) for text in texts(name)]
    keys = [tags for tags in found if "p" in tags]
    if not keys:
        return Remark("broken", f"there is no DKIM key at {name}")
    if len(keys) > 1:
        return Remark("broken", f"there are {len(keys)} DKIM keys at {name}; there may be one")
    key = keys[0]
    if not key["p"]:
        return Remark("broken", f"the DKIM key at {name} was revoked (its p= is empty)")
    if key.get("k", "rsa") != "rsa":
        return Remark("ok", f"{name} has a DKIM key ({key['k']})")
    bits = rsa_bits(key["p"])
    if bits is None:
        return Remark("broken", f"the DKIM key at {name} cannot be read")
    if bits < FEWEST_BITS:
        return Remark("broken", f"the DKIM key at {name} has {bits} bits; receivers ignore it")
    if bits < ENOUGH_BITS:
        return Remark("warning", f"the DKIM key at {name} has {bits} bits; {ENOUGH_BITS} are safe")
    return Remark("ok", f"{name} has a DKIM key of {bits} bits")


def dmarc_remark(domain: str, envelope_domain: str, texts: Texts) -> Remark:
    """Judge the policy of the From domain, and whether the envelope sender agrees with it."""
    place, records = _dmarc_records(domain, texts)
    if not records:
        return Remark(
            "warning", f"{domain} has no DMARC record; large mailboxes want one (v=DMARC1; p=none)"
        )
    if len(records) > 1:
        return Remark("broken", f"_dmarc.{place} has {len(records)} records; there may be one")
    policy = _tags(records[0])
    if policy.get("p", "").lower() not in ("none", "quarantine", "reject"):
        return Remark("broken", f"the DMARC record at _dmarc.{place} has no policy (p=)")
    if not _is_aligned(domain, envelope_domain, place, policy.get("aspf", "r").lower()):
        return Remark(
            "warning",
            f"mail is from {domain} but bounces go to {envelope_domain}: only DKIM can pass DMARC",
        )
    return Remark("ok", f"{domain} has a DMARC policy (p={policy['p'].lower()}), and SPF agrees")


def _dmarc_records(domain: str, texts: Texts) -> tuple[str, list[str]]:
    """Look at the domain, then at its parents, as receivers do at the organisation's domain."""
    labels = domain.split(".")
    for start in range(max(len(labels) - 1, 1)):
        place = ".".join(labels[start:])
        found = [text for text in texts(f"_dmarc.{place}") if _is_dmarc(text)]
        if found:
            return place, found
    return domain, []


def _is_dmarc(text: str) -> bool:
    return text.replace(" ", "").lower().startswith("v=dmarc1")


def _is_aligned(domain: str, envelope_domain: str, place: str, mode: str) -> bool:
    if domain == envelope_domain or mode == "s":
        return domain == envelope_domain
    ours = {domain, place}
    return any(envelope_domain == one or envelope_domain.endswith(f".{one}") for one in ours) or (
        domain.endswith(f".{envelope_domain}")
    )


def bounce_remark(domain: str, mail_servers: Callable[[str], Sequence[str]]) -> Remark:
    """Judge whether what cannot be delivered finds its way back."""
    found = mail_servers(domain)
    if not found or list(found) == ["."]:
        return Remark("warning", f"{domain} has no MX record, so bounces are lost")
    return Remark("ok", f"bounces to {domain} are taken by {found[0].rstrip('.')}")


def _tags(text: str) -> dict[str, str]:
    """Read "v=DKIM1; k=rsa; p=..." as names and values."""
    pairs = (part.partition("=") for part in text.split(";"))
    return {name.strip().lower(): "".join(value.split()) for name, equals, value in pairs if equals}


def rsa_bits(key: str) -> int | None:
    """Return the length of a base64 RSA key (SubjectPublicKeyInfo or bare), None when it is none."""
    try:
        der = base64.b64decode(key, validate=True)
        content = _element(der, 0)[1]
        tag, first, after = _element(content, 0)
        if tag != RSA_NUMBERS:  # the algorithm comes first, and the key in a bit string
            wrapped = _element(content, after)[1]
            tag, first, _ = _element(_element(wrapped[1:], 0)[1], 0)
    except (binascii.Error, ValueError, IndexError):
        return None
    return int.from_bytes(first, "big").bit_length() if tag == RSA_NUMBERS else None


def _element(der: bytes, at: int) -> tuple[int, bytes, int]:
    """Return one element of a DER encoding: its tag, its content, and where the next one begins."""
    tag, length, start = der[at], der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(der[start : start + size], "big")
        start += size
    if start + length > len(der):
        raise ValueError("it is cut off")
    return tag, der[start : start + length], start + length
