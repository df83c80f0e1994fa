"""The audience language: readable predicates over people, for campaigns and segments.

    propensity >= 0.2 and not owns('async-python') and last_mail_days > 14

Known are the words and fields of `person_fields`, comparisons (chained too), `in`, and/or/not and
brackets, and owns('slug'), bought('slug'), ends('slug'), tag('name'), segment('name'), subscribed(). A comparison
with what is unknown of a person is false, whichever way it is written; `not` of it is true.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, TypeGuard

from kpay.domain import audience_clauses as clauses
from kpay.domain.audience_clauses import Clause, Operand
from kpay.domain.audience_text import CALLS, MOST_NODES, AudienceUnknown, Parsed, parse, unknown
from kpay.domain.person import Person
from kpay.domain.person_fields import (
    FIELDS,
    QUESTIONS,
    WORDS,
    Field,
    Predicate,
    is_subscribed,
)

LARGEST: Final = 10**15


@dataclass(frozen=True, slots=True)
class Audience:
    """A predicate that can be called with a person; `words` says it in a sentence.

    `names_asked` are the words, fields and functions that it asks, those of its segments too.
    """

    text: str
    words: str
    names_asked: frozenset[str]
    holds: Predicate

    def __call__(self, person: Person) -> bool:
        """Say whether a person belongs to it."""
        return self.holds(person)


def parse_audience(text: str, segments: Mapping[str, str] | None = None) -> Audience:
    """Read an audience; AudienceUnknown says which word is not understood, and what was meant.

    `segments` gives the predicate of each segment that `segment('name')` may name.
    """
    reader = _Reader(segments or {})
    clause = reader.read(text)
    return Audience(text, clause.said, frozenset(reader.names_asked), clause.holds)


class _Reader:
    """Turns a syntax tree into one clause, with the segments that it names."""

    def __init__(self, segments: Mapping[str, str]) -> None:
        self._segments = segments
        self._path: list[str] = []
        self._parts_left = MOST_NODES
        self._parsed: Parsed
        self.names_asked: set[str] = set()

    def read(self, text: str) -> Clause:
        """Read one text; those of its segments are read on the way."""
        outer = getattr(self, "_parsed", None)
        self._parsed = parse(text)
        clause = self._clause(self._parsed.tree)
        if outer is not None:
            self._parsed = outer
        return clause

    def _clause(self, node: ast.expr) -> Clause:
        self._parts_left -= 1
        if self._parts_left < 0:
            raise AudienceUnknown("the audience has too many parts, with the segments it names")
        match node:
            case ast.BoolOp(op=op, values=values):
                parts = [self._clause(value) for value in values]
                return clauses.joined(parts, is_all=isinstance(op, ast.And))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self._clause(operand).refused()
            case ast.Compare():
                return self._compared(node)
            case ast.Call():
                return self._called(node)
            case ast.Name():
                return self._word(node)
        raise self._misplaced(node)

    def _word(self, node: ast.Name) -> Clause:
        short_form = self._parsed.short_form(node)
        if short_form is not None:
            return self._asked(*short_form)
        name = node.id
        if name in WORDS:
            self.names_asked.add(name)
            return Clause(WORDS[name].holds, WORDS[name].said)
        if name in FIELDS:
            example = "== 'Ana'" if FIELDS[name].is_text else "> 0"
            raise AudienceUnknown(f"{name!r} is compared with something (like {name} {example})")
        if name in CALLS:
            raise AudienceUnknown(f"{name!r} is asked with brackets ({_example(name)})")
        raise unknown(name)

    def _called(self, node: ast.Call) -> Clause:
        name = node.func.id if self._is_name(node.func) else ""
        if name not in CALLS:
            raise unknown(name) if name else self._misplaced(node)
        match node:
            case ast.Call(args=[], keywords=[]) if name == "subscribed":
                self.names_asked.add(name)
                return Clause(is_subscribed, "is subscribed", "is not subscribed")
            case ast.Call(args=[ast.Constant(value=str(value))], keywords=[]) if (
                name != "subscribed"
            ):
                return self._asked(name, value)
        raise AudienceUnknown(f"{self._source(node)} is not understood (write {_example(name)})")

    def _asked(self, name: str, value: str) -> Clause:
        self.names_asked.add(name)
        if name == "segment":
            return self._segment(value)
        asked = QUESTIONS[name]
        return Clause(asked.ask(value), asked.said.format(value), asked.denied.format(value))

    def _segment(self, name: str) -> Clause:
        if name not in self._segments:
            close = get_close_matches(name, self._segments, n=1)
            meant = f" (did you mean {close[0]!r}?)" if close else ""
            raise AudienceUnknown(f"there is no segment called {name!r}{meant}")
        if name in self._path:
            circle = " -> ".join([*self._path[self._path.index(name) :], name])
            raise AudienceUnknown(f"the segment {name!r} asks for itself ({circle})")
        self._path.append(name)
        clause = self.read(self._segments[name])
        self._path.pop()
        return Clause(clause.holds, f"is in {name!r} ({clause.said})")

    def _compared(self, node: ast.Compare) -> Clause:
        sides = [node.left, *node.comparators]
        pairs = zip(sides, node.ops, sides[1:], strict=False)
        parts = [self._pair(left, how, right) for left, how, right in pairs]
        return parts[0] if len(parts) == 1 else clauses.joined(parts, is_all=True)

    def _pair(self, left: ast.expr, how: ast.cmpop, right: ast.expr) -> Clause:
        if not isinstance(how, ast.In | ast.NotIn):
            return clauses.compared(self._operand(left), type(how), self._operand(right))
        is_in = isinstance(how, ast.In)
        if isinstance(right, ast.Tuple | ast.List | ast.Set):
            options = [self._operand(item) for item in right.elts]
            for option in options:
                if isinstance(option.value, Field):
                    raise AudienceUnknown(f"{option.source} differs from person to person")
            return clauses.among(self._operand(left), options, is_in=is_in)
        return clauses.containing(self._operand(left), self._operand(right), is_in=is_in)

    def _operand(self, node: ast.expr) -> Operand:
        source = self._source(node)
        match node:
            case ast.Constant(value=str(text)):
                return Operand(source, text)
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return Operand(source, _checked(number, source))
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return Operand(source, _checked(-number, source))
            case ast.Name(id=name) if self._is_name(node):
                return Operand(source, self._field(name))
        raise self._misplaced(node)

    def _field(self, name: str) -> Field:
        if name in WORDS or name in CALLS:
            raise AudienceUnknown(f"{name!r} is true or false: it is not compared")
        if name not in FIELDS:
            raise unknown(name)
        self.names_asked.add(name)
        return FIELDS[name]

    def _is_name(self, node: ast.expr) -> TypeGuard[ast.Name]:
        return isinstance(node, ast.Name) and self._parsed.short_form(node) is None

    def _source(self, node: ast.expr) -> str:
        return self._parsed.source(node)

    def _misplaced(self, node: ast.expr) -> AudienceUnknown:
        source = self._source(node)
        if isinstance(node, ast.BinOp):
            return AudienceUnknown(
                f"{source} cannot be reckoned (a slug stands in quotes: owns('a-b'))"
            )
        if isinstance(node, ast.Constant):
            return AudienceUnknown(f"{source} by itself asks nothing of anybody (write all)")
        return AudienceUnknown(f"{source} is not part of the language of audiences")


def _checked(number: float, source: str) -> float:
    if not abs(number) <= LARGEST:
        raise AudienceUnknown(f"{source} is too large a number")
    return number


def _example(name: str) -> str:
    return "subscribed()" if name == "subscribed" else f"{name}('...')"
