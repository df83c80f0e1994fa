"""Every report of one scope in one document, a section each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kpay.domain.document import Block, Document, Heading, Text
from kpay.domain.period import Period
from kpay.domain.reports.scope import Scope


@dataclass(frozen=True)
class WholeReport:
    """The documents of all sections by their names, in the order they are read."""

    scope: Scope
    period: Period
    sections: Mapping[str, Document]

    def to_document(self) -> Document:
        """Put the sections one after the other, each below a heading."""
        return Document(
            "kpay.report.all/1",
            "The whole business",
            tuple(self._blocks()),
            {
                **self.scope.head(self.period),
                "sections": {name: each.to_json() for name, each in self.sections.items()},
            },
            subtitle=self.scope.subtitle(self.period),
        )

    def _blocks(self) -> Iterator[Block]:
        own = self.scope.subtitle(self.period)
        for each in self.sections.values():
            yield Heading(each.title, "" if each.subtitle == own else each.subtitle)
            yield from each.blocks or (Text("There is nothing to tell."),)
