"""The parts of an audience as predicates that can also be said: comparisons, and what joins parts."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from kpay.domain.audience_text import AudienceUnknown
from kpay.domain.person import Person
from kpay.domain.person_fields import Field, Predicate

Constant = float | str
Compare = Callable[[Any, Any], bool]


class Comparator(NamedTuple):
    """A sign of comparison: what it does, how it reads, and the sign seen from the other side."""

    holds: Compare
    said: str
    turned: type[ast.cmpop]


COMPARATORS: Final[Mapping[type[ast.cmpop], Comparator]] = {
    ast.Eq: Comparator(operator.eq, "is", ast.Eq),
    ast.NotEq: Comparator(operator.ne, "is not", ast.NotEq),
    ast.Lt: Comparator(operator.lt, "below", ast.Gt),
    ast.LtE: Comparator(operator.le, "at most", ast.GtE),
    ast.Gt: Comparator(operator.gt, "above", ast.Lt),
    ast.GtE: Comparator(operator.ge, "at least", ast.LtE),
}
SAMENESS: Final = (ast.Eq, ast.NotEq)


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of an audience: its predicate, how it reads, and how its contrary reads."""

    holds: Predicate
    said: str
    denied: str = ""

    def refused(self) -> Clause:
        """Return the contrary."""
        holds = self.holds
        denied = self.denied or f"not ({self.said})"
        return Clause(lambda person: not holds(person), denied, self.said)


@dataclass(frozen=True, slots=True)
class Operand:
    """One side of a comparison, a field or a constant, and the text that it was read from."""

    source: str
    value: Field | Constant

    @property
    def is_text(self) -> bool:
        """Whether it is compared as a text."""
        return self.value.is_text if isinstance(self.value, Field) else isinstance(self.value, str)

    @property
    def said(self) -> str:
        """How it reads in a sentence."""
        if isinstance(self.value, Field):
            return self.value.said
        return str(self.value) or "''"

    @property
    def known(self) -> Constant:
        """The constant, a text as texts are compared."""
        assert not isinstance(self.value, Field)  # noqa: S101 - callers have asked
        return self.value.casefold() if isinstance(self.value, str) else self.value


def joined(parts: Sequence[Clause], *, is_all: bool) -> Clause:
    """Return the clause that holds where all parts do, or any."""
    tests = tuple(part.holds for part in parts)
    if is_all:
        return Clause(_all_of(tests), " and ".join(part.said for part in parts))
    return Clause(lambda person: any(test(person) for test in tests), _either(parts))


def compared(first: Operand, how: type[ast.cmpop], second: Operand) -> Clause:
    """Compare two sides, of which one at least is a field; False where a field is unknown."""
    if how not in COMPARATORS:
        raise AudienceUnknown("'is' compares nothing in an audience (write ==)")
    if not isinstance(first.value, Field):
        if not isinstance(second.value, Field):
            raise AudienceUnknown(f"{first.source} and {second.source} ask nothing of anybody")
        return compared(second, COMPARATORS[how].turned, first)
    if first.is_text != second.is_text:
        raise _two_kinds(first, second)
    if first.is_text and how not in SAMENESS:
        raise AudienceUnknown(f"{first.source} is a text: compare it with ==, != or in")
    comparator = COMPARATORS[how]
    said = f"{first.said} {comparator.said} {second.said}"
    read = first.value.read
    if isinstance(second.value, Field):
        return Clause(_of_two_fields(read, comparator.holds, second.value.read), said)
    return Clause(_of_field(read, comparator.holds, _checked(first, second)), said)


def among(field: Operand, options: Sequence[Operand], *, is_in: bool) -> Clause:
    """Ask whether a field is one of some constants; False where it is unknown."""
    wanted = _field_of(field)
    for option in options:
        if option.is_text != field.is_text:
            raise _two_kinds(field, option)
    values = frozenset(_checked(field, option) for option in options)
    listed = " or ".join(option.said for option in options) or "nothing"
    compare: Compare = _within if is_in else _without
    said = f"{wanted.said} {'is' if is_in else 'is not'} {listed}"
    return Clause(_of_field(wanted.read, compare, values), said)


def containing(part: Operand, field: Operand, *, is_in: bool) -> Clause:
    """Ask whether a text field has a constant in it; False where it is unknown."""
    wanted = _field_of(field)
    if not (wanted.is_text and isinstance(part.value, str)):
        raise AudienceUnknown(f"{part.source} in {field.source}: only a text is in a text")
    compare: Compare = operator.contains if is_in else _lacking
    said = f"{wanted.said} {'has' if is_in else 'does not have'} {part.said!r} in it"
    return Clause(_of_field(wanted.read, compare, part.known), said)


def _field_of(operand: Operand) -> Field:
    if isinstance(operand.value, Field):
        return operand.value
    raise AudienceUnknown(f"{operand.source} is the same for everybody")


def _checked(field: Operand, constant: Operand) -> Constant:
    value = constant.known
    choices = _field_of(field).choices
    if choices and value not in choices:
        close = get_close_matches(str(value), choices, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"but {', '.join(choices)}"
        raise AudienceUnknown(f"{field.source} is never {constant.source} ({meant})")
    return value


def _two_kinds(first: Operand, second: Operand) -> AudienceUnknown:
    kinds = [f"{one.source} is a {'text' if one.is_text else 'number'}" for one in (first, second)]
    return AudienceUnknown(f"{kinds[0]}, {kinds[1]}: they cannot be compared")


def _either(parts: Sequence[Clause]) -> str:
    return f"({' or '.join(part.said for part in parts)})"


def _all_of(tests: tuple[Predicate, ...]) -> Predicate:
    if len(tests) == 1:
        return tests[0]
    return lambda person: all(test(person) for test in tests)


def _of_field(read: Callable[[Person], Any], compare: Compare, constant: Any) -> Predicate:
    def holds(person: Person) -> bool:
        value = read(person)
        return value is not None and compare(value, constant)

    return holds


def _of_two_fields(
    read: Callable[[Person], Any], compare: Compare, read_other: Callable[[Person], Any]
) -> Predicate:
    def holds(person: Person) -> bool:
        value, other = read(person), read_other(person)
        return value is not None and other is not None and compare(value, other)

    return holds


def _within(value: Any, options: frozenset[Any]) -> bool:
    return value in options


def _without(value: Any, options: frozenset[Any]) -> bool:
    return value not in options


def _lacking(text: str, part: str) -> bool:
    return part not in text
