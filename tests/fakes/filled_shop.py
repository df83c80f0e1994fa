"""A shop in whose store every report finds something: sales, members, readers, mail, traffic, costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fakes.books import at, open_books
from tests.fakes.sends import add_send

MONTHS = range(1, 10)
PEOPLE = tuple(f"reader{number:02}@example.com" for number in range(24))
COURSE = """---
title: Course
kind: course
price: 29 usd
tags: [bread, patience]
---
Mix, wait, fold.
"""
FILES = {
    "traffic": "day,source,content,visits,clicks\n"
    + "".join(f"2026-{month:02}-03,newsletter,course,{300 + month},{40 + month}\n" for month in MONTHS),
    "costs": "day,kind,campaign,amount,currency\n"
    + "".join(f"2026-{month:02}-02,hosting,,12.50,usd\n" for month in MONTHS)
    + "2026-08-01,ads,spring,40,usd\n",
    "income": "day,kind,amount,currency\n2026-07-01,talk,500,usd\n",
    "fx": "month,currency,usd_per_unit\n"
    + "".join(f"2026-{month:02},eur,1.1{month}\n" for month in MONTHS),
    "feedback": "email,at,kind,content,rating,text\n"
    "reader01@example.com,2026-09-02,review,course,9,Will there be one about rye?\n",
    "events": "email,happened_at,kind,content\n"
    + "".join(f"{email},2026-09-01,preview,course\n" for email in PEOPLE[:9]),
}  # fmt: skip


def fill_shop(kpay: Callable[..., Any], business: Path) -> None:
    """Fill the store of a business; the newest thing in it is of September 2026."""
    with open_books(business) as books:
        people = [books.customer(email) for email in PEOPLE]
        for month in MONTHS:
            for number, person in enumerate(people[: 4 + month // 3]):
                day = f"2026-{month:02}-{2 + number:02}"
                books.order(day, 2900 + 100 * number, customer=person, discount=45, fee=99)
            order = books.order(f"2026-{month:02}-05", 12345 * month, customer=people[0], fee=399)
            books.refund(f"2026-{month:02}-20", 1000 + month, order=order, is_booked=True)
            books.order(
                f"2026-{month:02}-17", 700, customer=people[1], currency="eur", tax=112,
                country="DE", products=("陶艺",),
            )  # fmt: skip
        for number, person in enumerate(people[2:9]):
            first = f"2026-0{1 + number % 4}-05"
            ended = f"2026-08-0{1 + number}" if number % 3 == 0 else None
            books.subscription(person, first, 900 + 50 * number, ended=ended)
        for email in PEOPLE:
            books.subscriber(email, "2026-01-03")
        mailed, held_out = PEOPLE[:18], PEOPLE[18:]
        add_send(books.store, "spring", at("2026-08-02"), mailed=mailed, held_out=held_out)
    (business / "content").mkdir(exist_ok=True)
    (business / "content" / "course.md").write_text(COURSE, encoding="utf-8")
    for name, text in FILES.items():
        path = business / f"{name}.csv"
        path.write_text(text, encoding="utf-8")
        result = kpay("import", name, str(path), home=business)
        assert result.exit_code == 0, result.stderr
    january = {"KPAY_NOW": "2026-01-02T09:00:00Z"}
    assert "published here" in kpay("publish", home=business, env=january).stderr
