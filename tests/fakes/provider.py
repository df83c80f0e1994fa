"""A payment provider in memory: its objects, its lists, its refusals; and a source that reads it.

The same provider can be served over HTTP (`tests.fakes.stripe_server`), so that one suite can be
run on the real adapter and on this fake.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from kpay.domain.checkout import Account
from kpay.domain.resources import BY_KIND, EVENTS, RESOURCES
from kpay.errors import RemoteProblem, ResourceForbidden, ResourceUnsupported
from kpay.ports import Page

PATHS = {resource.path: resource.kind for resource in (*RESOURCES, EVENTS)}
KINDS = {**{kind: one.path for kind, one in BY_KIND.items()}, "event": "events"}


class Refusal(Exception):
    """An HTTP status in place of an answer."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message or f"refused with {status}")
        self.status = status


class FakeProvider:
    """Objects by kind and id; lists are newest first, and hide what was deleted.

    `refused` maps a path to the status that its lists answer with; canceled subscriptions are shown
    only to who asks for `status=all`.
    """

    def __init__(self, account: str | None = "acct_fake") -> None:
        self.account = account
        self.objects: dict[str, dict[str, dict[str, Any]]] = {}
        self.deleted: set[str] = set()
        self.forbidden: set[str] = set()
        self.unsupported: set[str] = set()
        self.refused: dict[str, int] = {}
        self.longest_page = 100
        self.payout_members: dict[str, list[str]] = {}
        self.rest_of: dict[str, list[dict[str, Any]]] = {}

    def add(self, raw: Mapping[str, Any], *, tells: str | None = None) -> dict[str, Any]:
        """Keep an object; `tells` also makes an event of that type."""
        whole = copy.deepcopy(dict(raw))
        self.objects.setdefault(whole["object"], {})[whole["id"]] = whole
        if tells:
            self.tell(tells, whole, whole["created"])
        return whole

    def change(self, raw: Mapping[str, Any], at: int, tells: str | None, **fields: Any) -> None:
        """Change an object, and tell of it where `tells` names an event type."""
        kept = self.objects[raw["object"]][raw["id"]]
        kept.update(fields)
        if tells:
            self.tell(tells, kept, at)

    def delete(self, raw: Mapping[str, Any], at: int) -> None:
        """Delete an object: only its stub is left."""
        self.deleted.add(raw["id"])
        self.tell(f"{raw['object']}.deleted", raw, at)

    def tell(self, kind: str, raw: Mapping[str, Any], at: int) -> None:
        """Make an event; its copy of the object has a shape nobody should trust."""
        known = {"id": raw["id"], "object": raw["object"], "created": raw.get("created")}
        number = len(self.objects.get("event", {}))
        self.add(
            {
                "id": f"evt_{number:06}",
                "object": "event",
                "type": kind,
                "created": at,
                "data": {"object": known},
            }
        )

    def page(self, path: str, parameters: Mapping[str, Any]) -> Page:
        """Answer a list request; raises Refusal."""
        self._check(path)
        if path not in PATHS:
            return self._rest(path)
        found = self._listed(PATHS[path])
        if path == "subscriptions" and parameters.get("status") != "all":
            found = [raw for raw in found if raw["status"] != "canceled"]
        created = parameters.get("created") or {}
        if "gte" in created:
            found = [raw for raw in found if raw["created"] >= int(created["gte"])]
        if parameters.get("payout"):
            members = self.payout_members.get(parameters["payout"], [])
            found = [raw for raw in found if raw["id"] in members]
        if parameters.get("starting_after"):
            ids = [raw["id"] for raw in found]
            if parameters["starting_after"] not in ids:
                raise Refusal(400, "No such object")
            found = found[ids.index(parameters["starting_after"]) + 1 :]
        limit = min(int(parameters.get("limit", 10)), self.longest_page)
        return Page(copy.deepcopy(found[:limit]), len(found) > limit)

    def one(self, path: str, external_id: str) -> dict[str, Any]:
        """Answer a request for one object; raises Refusal."""
        self._check(path)
        kind = PATHS[path]
        if external_id in self.deleted:
            return {"id": external_id, "object": kind, "deleted": True}
        if external_id not in self.objects.get(kind, {}):
            raise Refusal(404, "No such object")
        return copy.deepcopy(self.objects[kind][external_id])

    def _listed(self, kind: str) -> list[dict[str, Any]]:
        kept = [raw for raw in self.objects.get(kind, {}).values() if raw["id"] not in self.deleted]
        return sorted(kept, key=lambda raw: (raw["created"], raw["id"]), reverse=True)

    def _rest(self, path: str) -> Page:
        if path not in self.rest_of:
            raise Refusal(404, "Unrecognized request URL")
        return Page(copy.deepcopy(self.rest_of[path]), False)

    def _check(self, path: str) -> None:
        if path in self.forbidden:
            raise Refusal(403, "The provided key does not have the required permissions")
        if path in self.unsupported:
            raise Refusal(404, "Unrecognized request URL")
        if path in self.refused:
            raise Refusal(self.refused[path], f"Received unknown parameter for {path}")


class FakeSource:
    """A PaymentSource that reads a FakeProvider; `before_page` may raise to break a walk."""

    api_version = "fake"

    def __init__(self, provider: FakeProvider, *, livemode: bool = False) -> None:
        self.provider = provider
        self.livemode = livemode
        self.requests = 0
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.broken_after: int | None = None

    def account(self) -> Account:
        """Return the provider's account, or one named after the key where it does not tell."""
        self.requests += 1
        return Account(self.provider.account or "unknown:0000", self.livemode)

    def page(self, path: str, parameters: Mapping[str, Any]) -> Page:
        """Return one page of a list."""
        self.requests += 1
        self.asked.append((path, dict(parameters)))
        if self.broken_after is not None and self.requests > self.broken_after:
            raise RemoteProblem("the line is dead", "kpay doctor")
        try:
            return self.provider.page(path, parameters)
        except Refusal as refusal:
            raise _meaning(refusal) from refusal

    def one(
        self, path: str, external_id: str, parameters: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | None:
        """Return one object, or None."""
        self.requests += 1
        self.asked.append((f"{path}/{external_id}", dict(parameters or {})))
        try:
            return self.provider.one(path, external_id)
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise _meaning(refusal) from refusal

    def stop(self) -> None:
        """Nothing is under way in memory."""


def _meaning(refusal: Refusal) -> RemoteProblem:
    if refusal.status == 403:
        return ResourceForbidden(str(refusal), status=403)
    if refusal.status == 404:
        return ResourceUnsupported(str(refusal), status=404)
    return RemoteProblem(str(refusal), status=refusal.status)
