"""Asking web addresses of the creator's own; the only place that uses requests."""

from __future__ import annotations

import requests

TIMEOUT_S = 10.0
ONE_CLICK = {"List-Unsubscribe": "One-Click"}  # RFC 8058, section 3.2


def one_click_problem(url: str) -> str | None:
    """Post what a mail provider would post; return why the address would not do, or None.

    RFC 8058 asks for a plain success: no redirect, no login, no cookie.
    """
    try:
        answer = requests.post(url, data=ONE_CLICK, timeout=TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        return f"it cannot be reached ({type(error).__name__})"
    if answer.is_redirect:
        return "it redirects, which mail providers do not follow"
    return None if answer.ok else f"it answers {answer.status_code} to a one-click request"
