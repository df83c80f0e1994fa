"""Form-encoded parameters with brackets, as the provider's API takes them, and its errors."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any
from urllib.parse import parse_qsl

from kpay.sandbox.provider.shelves import Json


class ApiError(Exception):
    """A refusal in the provider's own words, with its HTTP status."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        kind: str = "invalid_request_error",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {
            "error": {"type": kind, "message": message, "param": param, "code": code}
        }


def parse(text: str) -> Json:
    """Read `a[b]=1&c[0][d]=2&e[]=3` into nested dicts and lists of strings."""
    tree: Json = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        _plant(tree, key.replace("]", "").split("["), value)
    return {name: _listed(branch) for name, branch in tree.items()}


def _plant(tree: Json, path: list[str], value: str) -> None:
    for name in path[:-1]:
        below = tree.setdefault(name or str(len(tree)), {})
        if not isinstance(below, dict):
            raise ApiError(400, f"Invalid hash: {'['.join(path)}", param=path[0])
        tree = below
    tree[path[-1] or str(len(tree))] = value


def _listed(branch: Any) -> Any:
    """Turn dicts whose keys are 0, 1, 2... into lists."""
    if not isinstance(branch, dict):
        return branch
    below = {name: _listed(value) for name, value in branch.items()}
    if below and all(name.isdigit() for name in below):
        return [below[name] for name in sorted(below, key=int)]
    return below


def refuse_unknown(params: Iterable[str], known: Collection[str]) -> None:
    """Raise the provider's 400 for the first parameter it does not know."""
    for name in params:
        if name not in known:
            raise ApiError(
                400, f"Received unknown parameter: {name}", param=name, code="parameter_unknown"
            )


def required(params: Json, name: str) -> Any:
    """Return a parameter that must be there and not be empty."""
    value = params.get(name)
    if value in (None, ""):
        raise ApiError(
            400, f"Missing required param: {name}.", param=name, code="parameter_missing"
        )
    return value


def integer(params: Json, name: str) -> int | None:
    """Return a whole number, or None when the parameter is absent."""
    value = params.get(name)
    if value in (None, ""):
        return None
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ApiError(
            400, f"Invalid integer: {value}", param=name, code="parameter_invalid_integer"
        ) from None


def boolean(params: Json, name: str, default: bool) -> bool:
    """Return a truth value; only `true` and `false` are understood."""
    value = params.get(name)
    if value in (None, ""):
        return default
    if value not in ("true", "false"):
        raise ApiError(400, f"Invalid boolean: {value}", param=name)
    return bool(value == "true")


def metadata(params: Json, before: Json | None = None) -> Json:
    """Return metadata with the given keys set; an empty value takes a key away."""
    given = params.get("metadata")
    if given == "":
        return {}
    if given is not None and not isinstance(given, dict):
        raise ApiError(400, "Invalid hash", param="metadata")
    merged = {**(before or {}), **(given or {})}
    return {name: value for name, value in merged.items() if value != ""}


def typed(value: Any) -> Any:
    """Give nested text values their JSON types: true, false and whole numbers."""
    if isinstance(value, dict):
        return {
            name: below if name == "metadata" else typed(below) for name, below in value.items()
        }
    if isinstance(value, list):
        return [typed(below) for below in value]
    if value in ("true", "false"):
        return value == "true"
    return int(value) if isinstance(value, str) and value.isdigit() else value
