"""The YAML settings above a Markdown text, with the line on which each stands."""

from __future__ import annotations

from typing import Any

import yaml

from kpay.errors import InputInvalid, Problem
from kpay.ports import FrontMatter

FENCE = "---"


class YamlFrontMatter:
    """Reads plain YAML only: no tag makes an object, and a key given twice is refused."""

    def read(self, text: str, file: str) -> FrontMatter:
        """Take a file apart; a file without front matter has a body only."""
        lines = text.removeprefix("\ufeff").splitlines(keepends=True)
        if not lines or lines[0].rstrip() != FENCE:
            return FrontMatter({}, {}, "".join(lines), 1)
        end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), None)
        if end is None:
            raise InputInvalid(
                file, [Problem(file, 1, None, f"the front matter has no closing {FENCE}")]
            )
        values, places = _settings("".join(lines[1:end]), file)
        return FrontMatter(values, places, "".join(lines[end + 1 :]), end + 2)


def _settings(block: str, file: str) -> tuple[dict[str, Any], dict[str, int]]:
    try:
        node = yaml.compose(block, Loader=yaml.SafeLoader)
        if node is None:
            return {}, {}
        if not isinstance(node, yaml.MappingNode):
            raise InputInvalid(
                file, [Problem(file, 2, None, "the front matter is no list of settings")]
            )
        places = _places(node, file)
        return yaml.safe_load(block), places
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 2 if mark else None
        raise InputInvalid(
            file, [Problem(file, line, None, error.problem or str(error))]
        ) from error
    except (yaml.YAMLError, ValueError) as error:
        raise InputInvalid(file, [Problem(file, 2, None, str(error))]) from error


def _places(node: yaml.MappingNode, file: str) -> dict[str, int]:
    places: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 2
        name = str(key.value)
        if name in places:
            raise InputInvalid(file, [Problem(file, line, name, "is given twice")])
        places[name] = line
    return places
