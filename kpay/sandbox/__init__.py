"""A simulated creator's business with known truth, met only through real protocols on loopback.

    with Sandbox(seed=1) as sandbox:
        ...                                   # publish through sandbox.stripe_url, sandbox.stripe_key
        sandbox.advance(540)                  # people find the payment links and buy
        ...                                   # sync, train, send a campaign to sandbox.smtp_url
        sandbox.advance(14)                   # readers click, buy, leave the list
        sandbox.truth.campaign(day, emails)   # what the mail really did

The account is empty on day 0. What people can buy is what is active in it: a payment link to an
active price of an active product, whose metadata tell the piece (`kpay_content`, the slug), its kind
(`kpay_kind`) and its topics (`kpay_tags`, comma-separated). Pieces that join later have a launch.

Days are UTC days. The clock stands at midnight between two advances; what a program writes to the
provider or mails in between happens at that instant. A mail counts as marketing when it has a
List-Unsubscribe header and no `X-Kpay-Kind: delivery`; it is about the pieces whose slugs or payment
links its links end in, or about nothing special when there are none.

All luck is a function of seed, purpose, day and person (see `chance`), so a replay with a mail left
out differs only in what the mailed people did. The truth is always such a replay.
"""

from __future__ import annotations

from kpay.sandbox.letters import Letter
from kpay.sandbox.provider.balance import CurrencyLedger, Ledger
from kpay.sandbox.sandbox import Sandbox
from kpay.sandbox.truth import CampaignTruth, Truth

__all__ = ["CampaignTruth", "CurrencyLedger", "Ledger", "Letter", "Sandbox", "Truth"]
