"""Families of features: each reads one kind of evidence and is kept only where the backtest gains."""

from __future__ import annotations

from typing import Final

from kpay.ml.families.catalogue import CATALOGUE
from kpay.ml.families.family import Family, Read
from kpay.ml.families.mail import MAIL
from kpay.ml.families.piece import toward
from kpay.ml.families.refunds import REFUNDS
from kpay.ml.families.reviews import REVIEWS
from kpay.ml.families.site import SITE
from kpay.ml.families.subscriptions import SUBSCRIPTIONS
from kpay.ml.families.text import TEXT

__all__ = ["FAMILIES", "Family", "Read", "toward"]

FAMILIES: Final[tuple[Family, ...]] = (SUBSCRIPTIONS, SITE, MAIL, CATALOGUE, TEXT, REVIEWS, REFUNDS)
