"""What may stand in a log: no key, no password, no whole address."""

from __future__ import annotations

import pytest

from kpay.log import redacted


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("key sk_test_51AbcDEF refused", "key *** refused"),
        ("rk_live_99xyz1234", "***"),
        ("whsec_abcd1234", "***"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("smtp://ana:secret@mail.example:587", "smtp://ana:***@mail.example:587"),
        ("to ana.lee@example.com now", "to a***@*** now"),
        ("GET customers/cus_123 in 0.012 s", "GET customers/cus_123 in 0.012 s"),
    ],
)
def test_secrets_and_addresses_are_taken_out(said: str, kept: str) -> None:
    assert redacted(said) == kept
