"""An order as rows of a file: its total shared out over its lines, its refunds over them too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RefundedLine:
    """How much of a line went back, and when the last of it did."""

    amount_minor: int = 0
    refunded_at: datetime | None = None


def shared_out(total_minor: int, lines_minor: Sequence[int]) -> list[int]:
    """Share a total over lines in proportion to their amounts, to the last minor unit.

    Lines that add up to the total come back as they are; remainders go to the largest fractions.
    """
    whole = sum(lines_minor)
    if whole == total_minor:
        return list(lines_minor)
    if whole <= 0:
        return [total_minor] + [0] * (len(lines_minor) - 1)
    shares = [line * total_minor // whole for line in lines_minor]
    by_fraction = sorted(
        range(len(lines_minor)), key=lambda index: -(lines_minor[index] * total_minor % whole)
    )
    for index in by_fraction[: total_minor - sum(shares)]:
        shares[index] += 1
    return shares


def refunds_on_lines(
    order_id: str, refunds: Sequence[tuple[str, int, datetime]], lines_minor: Sequence[int]
) -> list[RefundedLine]:
    """Put refunds onto lines: those that name their line on it, others where there is room.

    `refunds` are (external id, minor units, when), oldest first; an imported refund is called
    "order:position". What is more than the lines can hold is left out.
    """
    lines = [RefundedLine() for _ in lines_minor]
    for name, amount, at in refunds:
        position = name.removeprefix(f"{order_id}:")
        if position != name and position.isdecimal() and int(position) < len(lines):
            lines[int(position)] = RefundedLine(amount, at)
            continue
        for index, line in enumerate(lines):
            taken = min(amount, lines_minor[index] - line.amount_minor)
            if taken > 0:
                lines[index] = RefundedLine(line.amount_minor + taken, at)
                amount -= taken
    return lines
