"""In which currency a report tells what cannot be added up over currencies."""

from __future__ import annotations

from collections.abc import Mapping


def main_currency(orders: Mapping[str, int], base: str) -> str:
    """Return the base currency, or the one most was ordered in where the base has no order."""
    sold = {code: count for code, count in orders.items() if count}
    if not sold or base in sold:
        return base
    return max(sorted(sold), key=lambda code: sold[code])
