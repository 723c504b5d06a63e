# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can go wrong between this collection and Microsoft, as types (private to the collection).

Messages are whole sentences for the user. None of them ever holds a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

# What no sentence is made of, though names that are quoted in it may be: control characters, which a terminal would
# obey; line breaks; what turns the direction of writing; half of a character.
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_LONG_WORD = re.compile(r"\S{201,}")
LONGEST_MESSAGE = 4000


def readable(message: str) -> str:
    """A message that is safe to show: nothing in it but text, and what is too long cut in its middle."""
    text = _UNREADABLE.sub(lambda found: " " if found[0] in "\n\r\t" else ascii(found[0])[1:-1], message)
    text = _LONG_WORD.sub(lambda found: f"{found[0][:120]}[...]{found[0][-40:]}", text)
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 1000]} [...] {text[-900:]}"


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, Mapping):
        return {readable(str(name)): _readable(item) for name, item in value.items()}
    return [_readable(item) for item in value] if isinstance(value, list) else value


class M365Error(Exception):
    """Base of all errors of this collection. ``message`` is one or more whole sentences.

    ``maybe_done``: an earlier attempt of the same write may have been done, whatever became of the last one.
    """

    maybe_done = False

    def __init__(self, message: str) -> None:
        self.message = readable(message)
        super().__init__(self.message)

    def doubt(self) -> None:
        """Note that an earlier attempt may have been done."""
        if not self.maybe_done:
            self.maybe_done = True
            self.message = f"{self.message} An earlier attempt may have been done all the same."
            self.args = (self.message,)

    def details(self) -> dict[str, Any]:
        """What a machine may want to read; empty when the message says it all."""
        return {}

    def as_result(self) -> dict[str, Any]:
        """``msg``, and ``error`` where there are details: keys of a failed task's result."""
        details = self.details()
        return {"msg": self.message, "error": _readable(details)} if details else {"msg": self.message}


class OptionError(M365Error):
    """Bad input. Raised before any request."""


class WriteInCheckMode(M365Error):
    """A write was about to be sent in check mode: a bug of this collection."""


class DeadlineExceeded(M365Error):
    """Nobody waits for this write any more. Raised by ``before_write`` hooks."""


class MissingLibrary(M365Error):
    """A Python library is not importable. ``import_traceback`` says why."""

    def __init__(self, library: str, import_traceback: str) -> None:
        super().__init__(f"The Python library '{library}' is needed, but this Python cannot import it.")
        self.library = library
        self.import_traceback = import_traceback


class ConnectionFailed(M365Error):
    """No answer, or not a whole one: name resolution, refusal, TLS, reset, time-out.

    ``certain`` is True when the request surely never reached the server, in none of its attempts.
    """

    def __init__(self, message: str, *, certain: bool = False) -> None:
        super().__init__(message)
        self.certain = certain


class SignInError(M365Error):
    """Microsoft Entra gave no token. ``codes`` are AADSTS numbers, as strings, most telling first.

    ``text`` is what the sign-in service itself said.
    """

    def __init__(
        self,
        message: str,
        *,
        codes: Sequence[str] = (),
        text: str = "",
        correlation_id: str = "",
        trace_id: str = "",
    ) -> None:
        super().__init__(message)
        self.text = text
        self.codes = tuple(codes)
        self.correlation_id = correlation_id
        self.trace_id = trace_id

    def details(self) -> dict[str, Any]:
        return {
            "codes": [f"AADSTS{code}" for code in self.codes],
            "message": self.text,
            "correlation_id": self.correlation_id,
            "trace_id": self.trace_id,
        }


class GraphError(M365Error):
    """Graph refused a request. ``action`` completes the sentence 'Could not ...'."""

    lead: ClassVar[str] = "Could not {action}: Microsoft Graph answered {status}{code}{text}"
    advice: ClassVar[str] = ""

    def __init__(
        self,
        *,
        action: str,
        status: int,
        code: str = "",
        text: str = "",
        method: str = "",
        path: str = "",
        request_id: str = "",
        client_request_id: str = "",
        advice: str = "",
    ) -> None:
        self.action = action
        self.status = status
        self.code = code
        self.text = text
        self.method = method
        self.path = path
        self.request_id = request_id
        self.client_request_id = client_request_id
        super().__init__(self._sentences(advice or self.advice))

    def _sentences(self, advice: str) -> str:
        sentence = self.lead.format(
            action=self.action,
            status=self.status,
            code=f" {self.code}" if self.code else "",
            text=f": {self.text}" if self.text else "",
        )
        sentence = sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."
        known_as = f" (request-id {self.request_id})" if self.request_id else ""
        return " ".join(part for part in (sentence, advice) if part) + known_as

    def details(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.text,
            "status": self.status,
            "request_id": self.request_id,
            "client_request_id": self.client_request_id,
            "method": self.method,
            "path": self.path,
        }

    def means_already_there(self) -> bool:
        """Whether Graph refused to add what is there (as live tools' users report it: 400, sometimes 409)."""
        return self.status in (400, 409) and any(words in self.text for words in ALREADY_THERE)

    def means_name_taken(self) -> bool:
        """Whether Graph refused to create an object because its name is taken."""
        return self.status in (400, 409) and NAME_TAKEN in self.text

    def means_not_replicated(self) -> bool:
        """Whether Graph may not know an object that was created a moment ago (404, and 400s seen by live tools)."""
        return self.status == 404 or (self.status == 400 and any(words in self.text for words in NOT_REPLICATED))

    def means_unsupported(self) -> bool:
        """Whether Graph has no such thing in this cloud, of what every tenant has where the cloud has it."""
        return self.status == 404 or NO_SUCH_SEGMENT in self.text


NAME_TAKEN = "Another object with the same value for property userPrincipalName already exists"
ALREADY_THERE = (
    "added object references already exist",
    "A conflicting object with one or more of the specified property values is present",
)
NO_SUCH_SEGMENT = "Resource not found for the segment"
NOT_REPLICATED = (
    "does not exist or one of its queried reference-property objects are not present",
    "One or more property values specified are invalid",
)


class UnreadableAnswer(GraphError):
    """An answer that is not what Graph's documentation promises: no JSON, another shape, a link elsewhere.

    ``text`` says what is wrong with it. Such links and redirects are never followed.
    """

    lead = "Could not {action}: the answer ({status}) cannot be used: {text}"

    def _sentences(self, advice: str) -> str:
        return super()._sentences(advice).replace("cannot be used: : ", "cannot be used: ")


class NoAnswer(GraphError):
    """One request of many that got no answer. ``code`` is NotSent or NoAnswer; status 0."""

    lead = "Could not {action}{text}"


class Unauthorized(GraphError):
    """401: the token is not accepted."""

    advice = "The access token is not accepted (any more): log in again."


class PermissionMissing(GraphError):
    """403 for want of consent. ``missing`` names the permissions where they are known, alternatives in one string.

    ``role`` is the directory role that it takes besides where the object is an administrator, if that is known.
    """

    def __init__(self, *, missing: Sequence[str] = (), role: str = "", **keywords: Any) -> None:
        self.missing = tuple(missing)
        if role and not missing:
            advice = (
                "The application has the permission for this. Where the object is an administrator, it needs the "
                f"directory role {role} as well; where the object lies in a restricted management administrative unit, "
                "a role that is assigned at that unit. Assign the role, and log in again for a new token."
            )
        else:
            what = f"Missing permission: {', and '.join(missing)}. " if missing else "A permission is missing. "
            advice = (
                f"{what}Grant it to the application, with admin consent, and log in again for a new token. "
                "Where the object is an administrator or lies in a restricted administrative unit, "
                f"the application needs {f'the directory role {role}' if role else 'a directory role'} as well."
            )
        super().__init__(advice=advice, **keywords)

    def details(self) -> dict[str, Any]:
        return {**super().details(), "missing_permissions": list(self.missing)}


class LicenceMissing(GraphError):
    """403 or 400 because the tenant has no licence for this."""

    advice = "The tenant lacks the licence for this feature; granting permissions will not help."


class NotFound(GraphError):
    """404, 410."""


class Conflict(GraphError):
    """409, 412: the object is not in the state that the request expects."""

    advice = "Somebody or something else changed it meanwhile, or it exists already: run the task again."


class Throttled(GraphError):
    """429, and the bounds for trying again are used up."""

    advice = "The tenant is throttled: run the task later, or raise max_retry_wait."


class Unavailable(GraphError):
    """5xx, and the bounds for trying again are used up, or it may not be tried again."""

    advice = "Microsoft's service has a problem: run the task again later."


class MissingPermissions(M365Error):
    """What the planned requests need and the token lacks, all of it. Raised before anything is touched.

    ``missing`` has, for each thing to do, the list of missing permissions; each is a string of alternatives.
    """

    def __init__(self, missing: Mapping[str, Sequence[str]]) -> None:
        self.missing = {what: list(names) for what, names in missing.items()}
        needs = "; ".join(f"to {what}: {', and '.join(names)}" for what, names in self.missing.items())
        super().__init__(
            f"The application lacks permissions, so nothing was touched. Needed {needs}. "
            "Grant them as application permissions, with admin consent, and log in again for a new token."
        )

    def details(self) -> dict[str, Any]:
        return {"missing_permissions": self.missing}
