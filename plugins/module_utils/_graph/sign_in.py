# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in with Microsoft's msal (private to the collection). msal's errors become SignInError, never a traceback."""

from __future__ import annotations

import json
import time
import traceback
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from .aadsts import TRANSIENT, codes_in, meaning
from .clouds import Cloud
from .credentials import Certificate, ClientSecret, Credential, FederatedToken, ManagedIdentity
from .errors import ConnectionFailed, M365Error, MissingLibrary, SignInError
from .files import read_file
from .session import AnswerTooLarge, UnknownEncoding
from .tokens import AccessToken, NotAToken, read_token

if TYPE_CHECKING:
    from .session import HttpSession

# Names of the same sign-in service: its metadata may name any of them.
SAME_SERVICE = (
    frozenset({"login.microsoftonline.com", "login.microsoft.com", "login.windows.net"}),
    frozenset({"login.microsoftonline.us", "login.usgovcloudapi.net"}),
    frozenset({"login.chinacloudapi.cn", "login.partner.microsoftonline.cn"}),
)
ODD_ANSWER = "The sign-in service at {host} gave an answer that cannot be used ({what}). Check login_url and the proxy."

IMPORT_TRACEBACK: str | None = None
try:
    import msal
except ImportError:
    IMPORT_TRACEBACK = traceback.format_exc()


class HttpAnswer:
    """The little of requests' Response that msal reads."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str]) -> None:
        self.status_code = status
        self.text = text
        self.headers = headers

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise ValueError(f"HTTP status {self.status_code}")


class SignInService:
    """The sign-in host of a cloud: its metadata (asked once per tenant), and an ``http_client`` for msal."""

    def __init__(self, cloud: Cloud, session: HttpSession) -> None:
        self.cloud = cloud
        self.session = session
        self.host = urlsplit(cloud.login_url).netloc
        self.clock_difference: float | None = None
        self._documents: dict[str, HttpAnswer] = {}

    def openid_configuration(self, tenant_id: str) -> dict[str, Any]:
        """The tenant's public metadata. Raises SignInError, ConnectionFailed."""
        url = f"{self.cloud.login_url}/{quote(tenant_id, safe='')}/v2.0/.well-known/openid-configuration"
        answer = self.get(url)
        document = _json_object(answer.text)
        if answer.status_code >= 400:
            raise self.refusal(document or {}, answer.status_code)
        endpoint = (document or {}).get("token_endpoint")
        if document is None or answer.status_code != 200 or not isinstance(endpoint, str):
            raise self._odd(f"{answer.status_code}, no OpenID metadata")
        self._check_endpoint(endpoint)
        return document

    # http_client of msal

    def get(self, url: str, params: Any = None, headers: Mapping[str, str] | None = None, **_more: Any) -> HttpAnswer:
        full = f"{url}?{urlencode(params)}" if params else url
        if full not in self._documents:
            answer = self._exchange("GET", full, headers or {}, None)
            if answer.status_code != 200 or not url.startswith(self.cloud.login_url + "/"):
                return answer
            self._documents[full] = answer
        return self._documents[full]

    def post(
        self,
        url: str,
        params: Any = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        **_more: Any,
    ) -> HttpAnswer:
        self._check_endpoint(url)
        content = data if isinstance(data, str) else urlencode(data or {})
        form = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        answer = self._exchange("POST", f"{url}?{urlencode(params)}" if params else url, form, content.encode())
        document = _json_object(answer.text)
        if answer.status_code == 429 or answer.status_code >= 500:  # msal would raise or remember these
            raise self.refusal(document or {}, answer.status_code)
        if document is None or answer.status_code < 200 or 300 <= answer.status_code < 400:
            raise self._odd(f"{answer.status_code}, not JSON")
        return answer

    def close(self) -> None:
        """The session is the client's, and goes on."""

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> HttpAnswer:
        try:
            answer = self.session.exchange(method, url, headers=headers, content=content)
        except AnswerTooLarge:
            raise self._odd("much too large") from None
        except UnknownEncoding:
            raise self._odd("compressed in a way that was not asked for") from None
        self._note_clock(answer.headers.get("Date"))
        return HttpAnswer(answer.status, answer.content.decode("utf-8", "replace"), answer.headers)

    def _note_clock(self, date: str | None) -> None:
        try:
            self.clock_difference = time.time() - parsedate_to_datetime(date).timestamp() if date else None
        except (TypeError, ValueError, OverflowError):
            self.clock_difference = None

    def _check_endpoint(self, url: str) -> None:
        """Credentials go to the sign-in host of the chosen cloud and nowhere else."""
        wanted, named = urlsplit(self.cloud.login_url), urlsplit(url)
        if named.scheme == "https" and named.netloc.lower() == wanted.netloc:
            return
        here = next((names for names in SAME_SERVICE if wanted.netloc in names), frozenset())
        if named.scheme == "https" and named.netloc.lower() in here:
            return
        if named.scheme == "https" and any(named.netloc.lower() in names for names in SAME_SERVICE):
            raise SignInError(
                f"The tenant lives in another cloud: its sign-in service is {named.netloc}, not {wanted.netloc}. "
                "Set cloud."
            )
        raise self._odd(f"it names the token endpoint {named.scheme}://{named.netloc}")

    def _odd(self, what: str) -> SignInError:
        return SignInError(ODD_ANSWER.format(host=self.host, what=what))

    def refusal(self, answer: Mapping[str, Any], status: int = 0) -> SignInError:
        """msal's or the service's error answer as a sentence: code, meaning, what to do."""
        description = _text(answer, "error_description")
        error_codes = answer.get("error_codes")
        codes = codes_in(description, error_codes if isinstance(error_codes, list) else [])
        error = _text(answer, "error")
        correlation_id = _text(answer, "correlation_id")
        if not codes:
            what = f"{error}: {_first_line(description)}" if error else f"{status}"
            again = " Run the task again later." if status == 429 or status >= 500 else ""
            sentence = f"Could not sign in: the sign-in service at {self.host} answered {what.rstrip(': .')}.{again}"
        else:
            means, do = meaning(codes)
            sentence = f"Could not sign in (AADSTS{codes[0]}): {means} {do}"
            if codes[0] in ("700024", "1000502") and self.clock_difference and abs(self.clock_difference) > 60:
                behind = "ahead of" if self.clock_difference > 0 else "behind"
                sentence += (
                    f" This machine's clock is about {abs(self.clock_difference):.0f} seconds {behind} the service's."
                )
        if correlation_id:
            sentence += f" (correlation id {correlation_id})"
        return SignInError(
            sentence,
            codes=codes,
            text=_first_line(description),
            correlation_id=correlation_id,
            trace_id=_text(answer, "trace_id"),
        )


def sign_in(
    credential: Credential, tenant_id: str | None, service: SignInService, secret: Callable[[str], None]
) -> AccessToken:
    """A fresh token. Raises SignInError, OptionError (unreadable file), ConnectionFailed, MissingLibrary.

    A new msal application each time: its cache would answer a renewal with the very token that was refused.
    """
    if IMPORT_TRACEBACK:
        raise MissingLibrary("msal", IMPORT_TRACEBACK)
    policy = service.session.policy
    earlier, waited = 0, 0.0
    while True:
        result = _ask(credential, tenant_id or "", service, secret)
        token = result.get("access_token")
        if isinstance(token, str):
            secret(token)
            try:
                return read_token(token)
            except NotAToken as error:
                raise SignInError(f"The sign-in service gave a token that cannot be used: {error}.") from None
        refusal = service.refusal(result)
        wait = policy.wait(None, earlier, waited) if TRANSIENT & set(refusal.codes) else None
        if wait is None:
            raise refusal
        policy.warn(f"Sign-in: temporary AADSTS{refusal.codes[0]}; trying again in {wait:.1f} seconds.")
        policy.pause(wait)
        earlier, waited = earlier + 1, waited + wait


def _ask(
    credential: Credential, tenant_id: str, service: SignInService, secret: Callable[[str], None]
) -> dict[str, Any]:
    try:
        if isinstance(credential, ManagedIdentity):
            return _ask_machine(credential, service)
        proof = _proof(credential, secret)
        service.openid_configuration(tenant_id)  # msal asks too, is answered from memory, and words errors worse
        application = msal.ConfidentialClientApplication(
            credential.client_id,
            authority=f"{service.cloud.login_url}/{tenant_id}",
            client_credential=proof,
            http_client=service,
            instance_discovery=False,  # the cloud is known; a private one is unknown to Microsoft
        )
        result = application.acquire_token_for_client(scopes=[service.cloud.scope])
    except M365Error:
        raise
    except Exception as error:  # whatever msal makes of an odd answer; its text may quote that answer
        raise SignInError(ODD_ANSWER.format(host=service.host, what=type(error).__name__)) from None
    return result if isinstance(result, dict) else {}


def _ask_machine(credential: ManagedIdentity, service: SignInService) -> dict[str, Any]:
    if not hasattr(msal, "ManagedIdentityClient"):
        raise SignInError(f"Managed identities need msal 1.29 or later; here is {msal.__version__}.")
    identity = (
        msal.UserAssignedManagedIdentity(client_id=credential.client_id)
        if credential.client_id
        else msal.SystemAssignedManagedIdentity()
    )
    try:
        client = msal.ManagedIdentityClient(identity, http_client=service)
        result = client.acquire_token_for_client(resource=service.cloud.graph_url)
    except ConnectionFailed as error:
        raise SignInError(f"No managed identity answers on this machine: {error.message}") from None
    except M365Error:
        raise
    except Exception as error:
        raise SignInError(f"The managed identity of this machine gave no token ({type(error).__name__}).") from None
    return result if isinstance(result, dict) else {}


def _proof(
    credential: ClientSecret | Certificate | FederatedToken, secret: Callable[[str], None]
) -> str | dict[str, Any]:
    """What msal calls client_credential."""
    if isinstance(credential, ClientSecret):
        return credential.secret
    if isinstance(credential, FederatedToken):
        assertion = read_file("federated_token_file", credential.path).strip()
        if not assertion:
            raise SignInError(f"The federated token file '{credential.path}' is empty. Its issuer must fill it.")
        secret(assertion)
        return {"client_assertion": lambda: assertion}  # read above, so that a missing file is told first
    from .certificates import read_key_pair  # slow to load, and seldom needed

    pair = read_key_pair(credential, secret)
    proof: dict[str, Any] = {"private_key": pair.private_key, "public_certificate": pair.certificates}
    if pair.passphrase:
        proof["passphrase"] = pair.passphrase
    if _older_msal():
        proof["thumbprint"] = pair.sha1
    return proof


def _older_msal() -> bool:
    """Before 1.35 msal did not compute the thumbprint of a certificate itself."""
    numbers = [int(part) for part in str(msal.__version__).split(".")[:2] if part.isdigit()]
    return numbers < [1, 35]


def _json_object(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""


def _first_line(text: str) -> str:
    """What the service says, without the ids that follow it on the same line or the next."""
    said = text.partition("Trace ID:")[0].strip()
    return said.splitlines()[0][:300] if said else ""
