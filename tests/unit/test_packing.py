"""Equal objects have one text, and every text can be read back."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpay.services.provided import canonical, pack, unpack

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), values, max_size=6))
def test_the_order_of_keys_makes_no_difference_and_nothing_is_lost(raw: dict[str, object]) -> None:
    turned = dict(reversed(raw.items()))

    assert canonical(turned) == canonical(raw)
    assert unpack(zlib.compress(canonical(raw))) == raw
    assert json.loads(canonical(raw)) == raw


@pytest.mark.parametrize("name", ["Ana", "沈清", "half \ud83d of a smile", "nul \x00 inside"])
def test_a_name_of_any_kind_is_kept_as_it_came(name: str) -> None:
    raw = {"object": "customer", "id": "cus_1", "created": 1, "name": name}

    assert unpack(pack(raw).payload) == raw
