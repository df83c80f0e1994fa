"""What must hold for every letter, every list and every answer of a server."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from kpay.domain.audience import Person, divide, parse_audience
from kpay.domain.delivery import MOVES, Fate, state_after
from kpay.domain.enums import DeliveryState
from kpay.domain.experiment import Arm, effect
from kpay.domain.message import Draft, message_id, write_message

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300)
LINES = st.lists(TEXT, max_size=8).map("\n".join)
NAME = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=60)


@given(subject=TEXT, text=LINES, name=NAME)
def test_every_message_reads_back_and_fits_the_line(subject: str, text: str, name: str) -> None:
    quoted = name.replace("\\", "").replace('"', "").strip()
    raw = write_message(
        Draft(
            sender=f'"{quoted}" <ana@bakery.example>',
            recipient="li@r.example",
            message_id=message_id("x", "li@r.example", "bakery.example"),
            subject=subject,
            text=text,
            html=text,
            sent_at=datetime(2026, 10, 1, tzinfo=UTC),
        )
    )
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    message = email.message_from_bytes(raw, policy=email.policy.default)
    part = message.get_body(("plain",))  # type: ignore[attr-defined]
    assert part.get_content().replace("\r\n", "\n") == text
    assert [name for name in message if name.lower() in ("bcc", "cc")] == []
    assert message["From"].addresses[0].addr_spec == "ana@bakery.example"


PERSON = st.builds(
    Person,
    email=st.integers(0, 10**6).map(lambda number: f"r{number}@r.example"),
    is_listed=st.booleans(),
    has_consent=st.booleans(),
    is_suppressed=st.booleans(),
    has_bought=st.booleans(),
    tags=st.frozensets(st.sampled_from(["a", "b"])),
    owned=st.frozensets(st.sampled_from(["rye", "salt"])),
)
WORD = st.sampled_from(["all", "customers", "prospects", "tag:a", "owns:rye", "not all"])
AUDIENCE = st.recursive(
    WORD,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
        ),
        inner.map(lambda text: f"not ({text})"),
    ),
    max_leaves=4,
)


@given(people=st.lists(PERSON, max_size=30), audience=AUDIENCE)
def test_nobody_is_ever_mailed_without_consent(people: list[Person], audience: str) -> None:
    division = divide(people, parse_audience(audience), about=("rye",))
    for person in division.chosen:
        assert person.is_listed
        assert person.has_consent
        assert not person.is_suppressed
        assert "rye" not in person.owned


@given(fate=st.sampled_from(Fate), attempts=st.integers(1, 20))
def test_an_attempt_ends_only_where_it_may(fate: Fate, attempts: int) -> None:
    state = state_after(fate, attempts)
    assert state in MOVES[DeliveryState.SENDING]
    if fate is Fate.UNKNOWN:
        assert DeliveryState.SENDING not in MOVES[state], "what is uncertain never leaves by itself"


AMOUNTS = st.lists(st.integers(1, 10**8), max_size=30).map(tuple)


@given(
    mailed=AMOUNTS,
    held=AMOUNTS,
    more=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    level=st.floats(0.5, 0.9999),
)
def test_an_interval_always_holds_its_estimate(
    mailed: tuple[int, ...], held: tuple[int, ...], more: tuple[int, int], level: float
) -> None:
    found = effect(Arm(len(mailed) + more[0], mailed), Arm(len(held) + more[1], held), level)
    assert found.buyers is not None
    assert -1 <= found.buyers.low <= found.buyers.estimate <= found.buyers.high <= 1
    assert (found.revenue is None) == (not mailed and not held)
    if found.revenue is not None:
        assert found.revenue.low <= found.revenue.estimate <= found.revenue.high
