# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""The client against an ordered script of HTTP: pages, errors, tokens, check mode."""

import json
import time
from typing import Any

import pytest
import responses
from responses.matchers import header_matcher, json_params_matcher, query_param_matcher

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.client import GraphClient
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    Conflict,
    DeadlineExceeded,
    GraphError,
    LicenceMissing,
    M365Error,
    MissingPermissions,
    NotFound,
    OptionError,
    PermissionMissing,
    SignInError,
    Throttled,
    Unauthorized,
    Unavailable,
    UnreadableAnswer,
    WriteInCheckMode,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.permissions import needs_of
from ansible_collections.zerotrust.m365.tests.unit._graph.graph_service import (
    CLIENT,
    GRAPH,
    LOGIN,
    TENANT,
    Connect,
    Told,
    discovery,
    make_token,
    token_answer,
)

DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
USERS = f"{GRAPH}/v1.0/users"


def graph_error(code: str, message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


def test_a_read_carries_token_id_and_product(client: GraphClient, http: responses.RequestsMock) -> None:
    http.get(f"{GRAPH}/beta{DEFAULTS}", json={"isEnabled": True})
    assert client.get(DEFAULTS, version="beta", headers={"Prefer": "x"}) == {"isEnabled": True}
    sent = http.calls[0].request.headers
    assert sent["Authorization"] == f"Bearer {client.token().secret}"
    assert sent["User-Agent"].startswith("zerotrust.m365/")
    assert sent["Prefer"] == "x"
    assert len(sent["client-request-id"]) == 36


def test_parameters_are_encoded(client: GraphClient, http: responses.RequestsMock) -> None:
    http.get(USERS, json={"value": []}, match=[query_param_matcher({"$filter": "startswith(name,'a&b +#')"})])
    assert client.list("/users", parameters={"$filter": "startswith(name,'a&b +#')"}) == []


def test_pages_are_followed_and_headers_sent_again(client: GraphClient, http: responses.RequestsMock) -> None:
    eventual = [header_matcher({"ConsistencyLevel": "eventual"})]
    http.get(USERS, json={"value": [{"id": "1"}], "@odata.nextLink": f"{USERS}?$skiptoken=a%2Fb"}, match=eventual)
    http.get(
        f"{USERS}?$skiptoken=a%2Fb", json={"value": [], "@odata.nextLink": f"{USERS}?$skiptoken=c"}, match=eventual
    )
    http.get(f"{USERS}?$skiptoken=c", json={"value": [{"id": "2"}]}, match=eventual)
    assert client.list("/users", headers={"ConsistencyLevel": "eventual"}) == [{"id": "1"}, {"id": "2"}]
    assert client.calls.as_result() == [{"method": "GET", "path": "/v1.0/users", "status": 200, "count": 3}]


def test_a_failing_page_fails_the_read(client: GraphClient, http: responses.RequestsMock) -> None:
    http.get(USERS, json={"value": [{"id": "1"}], "@odata.nextLink": f"{USERS}?$skiptoken=a"})
    http.get(f"{USERS}?$skiptoken=a", status=400, json=graph_error("Directory_ExpiredPageToken", "Too late."))
    with pytest.raises(GraphError, match=r"Could not list users: .* 400 Directory_ExpiredPageToken: Too late\."):
        client.list("/users", action="list users")


def test_max_items_ends_the_reading(client: GraphClient, http: responses.RequestsMock) -> None:
    http.get(USERS, json={"value": [{"id": "1"}, {"id": "2"}], "@odata.nextLink": f"{USERS}?$skiptoken=a"})
    assert client.list("/users", max_items=1) == [{"id": "1"}]


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.example.com/v1.0/users?$skiptoken=a",
        "http://graph.microsoft.com/v1.0/users?$skiptoken=a",
        "https://graph.microsoft.com:444/v1.0/users?$skiptoken=a",
        "https://graph.microsoft.com/beta/users?$skiptoken=a",
        "https://graph.microsoft.com/v1.0/../beta/users",
        "https://user@graph.microsoft.com/v1.0/users",
        "https://graph.microsoft.com@graph.example.com/v1.0/users",
        "https://graph.microsoft.com\\@graph.example.com/v1.0/users",
        "https://graph.microsoft.com/v1.0/users?a=b\nc",
        "https://graph.microsoft.com:x/v1.0/users",
        "/v1.0/users?$skiptoken=a",
        "",
        7,
        {"a": 1},
    ],
)
def test_a_link_elsewhere_is_never_followed(client: GraphClient, http: responses.RequestsMock, link: object) -> None:
    http.get(USERS, json={"value": [], "@odata.nextLink": link})
    with pytest.raises(UnreadableAnswer, match="nextLink leads to another host or version"):
        client.list("/users")


def test_endless_paging_is_noticed(client: GraphClient, http: responses.RequestsMock) -> None:
    http.get(USERS, json={"value": [{}], "@odata.nextLink": f"{USERS}?$skiptoken=a"})
    http.get(f"{USERS}?$skiptoken=a", json={"value": [{}], "@odata.nextLink": f"{USERS}?$skiptoken=a"})
    with pytest.raises(UnreadableAnswer, match="read already"):
        client.list("/users")


@pytest.mark.usefixtures("nothing_is_collected")
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"7", b"null", b'{"value": {}}', b'{"value": [1]}', b'{"val', b"\xff\xfe{}", b"[" * 9999],
)
def test_unexpected_json_is_an_unreadable_answer(
    client: GraphClient, http: responses.RequestsMock, body: bytes
) -> None:
    http.get(USERS, body=body)
    with pytest.raises(UnreadableAnswer, match="Could not list users: the answer \\(200\\) cannot be used"):
        client.list("/users", action="list users")


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"'])
def test_an_object_must_be_an_object(client: GraphClient, http: responses.RequestsMock, body: bytes) -> None:
    http.get(f"{GRAPH}/v1.0{DEFAULTS}", body=body)
    with pytest.raises(UnreadableAnswer):
        client.get(DEFAULTS)


def test_a_redirect_is_not_followed(client: GraphClient, http: responses.RequestsMock) -> None:
    http.get(USERS, status=302, headers={"Location": "https://graph.example.com/"})
    with pytest.raises(UnreadableAnswer, match="redirect, which is not followed"):
        client.list("/users")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, graph_error("Request_BadRequest", "No."), GraphError),
        (400, graph_error("AadPremiumLicenseRequired", "The tenant needs Entra ID P2."), LicenceMissing),
        (400, graph_error("BadRequest", "1039: Upgrade to a premium P2 license and try again."), LicenceMissing),
        (403, graph_error("AccessDenied", "Your tenant is not licensed for this feature."), LicenceMissing),
        (
            403,
            graph_error("Authentication_RequestFromNonPremiumTenantOrB2CTenant", "Tenant is not a B2C tenant."),
            LicenceMissing,
        ),
        (403, graph_error("AccessDenied", "required scopes are missing in the token."), PermissionMissing),
        (403, graph_error("Authorization_RequestDenied", "Insufficient privileges"), PermissionMissing),
        (403, {}, PermissionMissing),
        (404, graph_error("Request_ResourceNotFound", "Gone."), NotFound),
        (409, graph_error("Conflict", "Two."), Conflict),
        (412, graph_error("PreconditionFailed", "Etag."), Conflict),
        (418, "<html>", GraphError),
        (422, [1, 2], GraphError),
        (422, {"error": "invalid", "error_description": "Of OAuth."}, GraphError),
        (422, {"error": {"code": 5, "message": ["x"], "innerError": "y"}}, GraphError),
    ],
)
def test_errors_have_types(
    client: GraphClient, http: responses.RequestsMock, status: int, body: Any, kind: type[GraphError]
) -> None:
    http.get(USERS, status=status, body=body if isinstance(body, str) else json.dumps(body))
    with pytest.raises(GraphError) as caught:
        client.list("/users", action="list users")
    assert caught.value.__class__ is kind
    assert caught.value.message.startswith(f"Could not list users: Microsoft Graph answered {status}")
    assert caught.value.as_result()["error"]["status"] == status


@pytest.mark.parametrize("inner", ["innerError", "innererror"])
@pytest.mark.parametrize("name", ["request-id", "requestId"])
def test_an_error_keeps_its_ids(client: GraphClient, http: responses.RequestsMock, inner: str, name: str) -> None:
    http.get(
        f"{USERS}/a%40b.c", status=404, json=graph_error("Request_ResourceNotFound", "No.", **{inner: {name: "r-1"}})
    )
    with pytest.raises(NotFound) as caught:
        client.get("/users/a%40b.c")
    error = caught.value.as_result()["error"]
    assert error == {
        "code": "Request_ResourceNotFound",
        "message": "No.",
        "status": 404,
        "request_id": "r-1",
        "client_request_id": http.calls[0].request.headers["client-request-id"],
        "method": "GET",
        "path": "/v1.0/users/a%40b.c",
    }
    assert "r-1" in caught.value.message


def test_the_header_names_the_request_id_first(client: GraphClient, http: responses.RequestsMock) -> None:
    http.get(USERS, status=404, headers={"Request-Id": "from-header"}, json={})
    with pytest.raises(NotFound) as caught:
        client.list("/users")
    assert caught.value.request_id == "from-header"


def test_a_missing_permission_is_named(client: GraphClient, http: responses.RequestsMock) -> None:
    http.patch(f"{GRAPH}/v1.0{DEFAULTS}", status=403, json=graph_error("AccessDenied", "scopes are missing"))
    with pytest.raises(PermissionMissing) as caught:
        client.patch(DEFAULTS, {"isEnabled": True})
    assert caught.value.missing == ("Policy.ReadWrite.SecurityDefaults (or Policy.ReadWrite.ConditionalAccess)",)
    assert "Policy.ReadWrite.SecurityDefaults" in caught.value.message


@pytest.mark.parametrize(
    ("roles", "code", "text", "kind"),
    [
        (["Policy.Read.All", "Policy.ReadWrite.SecurityDefaults"], "AccessDenied", "Blocked by policies.", GraphError),
        (["Policy.Read.All"], "AccessDenied", "Blocked by policies.", PermissionMissing),
        (["Policy.Read.All", "Policy.ReadWrite.SecurityDefaults"], "AccessDenied", "", PermissionMissing),
        (
            ["Policy.Read.All", "Policy.ReadWrite.SecurityDefaults"],
            "Authorization_RequestDenied",
            "No.",
            PermissionMissing,
        ),
    ],
)
def test_a_refusal_for_another_reason_does_not_ask_for_permissions(
    connected: Connect, http: responses.RequestsMock, roles: list[str], code: str, text: str, kind: type[GraphError]
) -> None:
    client = connected(access_token=make_token(roles=roles))
    http.patch(f"{GRAPH}/v1.0{DEFAULTS}", status=403, json=graph_error(code, text))
    with pytest.raises(GraphError) as caught:
        client.patch(DEFAULTS, {"isEnabled": True})
    assert caught.value.__class__ is kind
    assert (
        "permission is missing" in caught.value.message.lower() or "Missing permission" in caught.value.message
    ) == (kind is PermissionMissing)


@pytest.mark.parametrize(
    ("method", "path"),
    [("PATCH", "/users/1"), ("DELETE", "/users/1"), ("POST", "/directory/deletedItems/1/restore")],
)
@pytest.mark.parametrize(
    ("roles", "words"),
    [
        (["User.ReadWrite.All"], "The application has the permission for this. Where the object is an administrator"),
        (["User.Read.All"], "Missing permission: User"),
    ],
)
def test_the_role_that_administrators_take_is_named(
    connected: Connect, http: responses.RequestsMock, method: str, path: str, roles: list[str], words: str
) -> None:
    client = connected(access_token=make_token(roles=roles))
    error = graph_error("Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    http.add(method, f"{GRAPH}/v1.0{path}", status=403, json=error)
    with pytest.raises(PermissionMissing) as caught:
        client.send(client.call(method, path, version="v1.0"))
    assert words in caught.value.message
    assert "the directory role Privileged Authentication Administrator as well" in " ".join(
        caught.value.message.split()
    )


def test_permissions_are_checked_before_anything_is_sent(client: GraphClient, http: responses.RequestsMock) -> None:
    needs = [needs_of("PATCH", "v1.0", DEFAULTS), needs_of("POST", "v1.0", "/users"), needs_of("GET", "v1.0", DEFAULTS)]
    with pytest.raises(MissingPermissions) as caught:
        client.require_permissions([need for need in needs if need])
    assert caught.value.missing == {
        "change the security defaults policy": [
            "Policy.ReadWrite.SecurityDefaults (or Policy.ReadWrite.ConditionalAccess)"
        ],
        "create a user": ["User.Create (or User.ReadWrite.All, Directory.ReadWrite.All)"],
    }
    assert len(http.calls) == 0


def test_enough_permissions_are_enough(connected: Connect) -> None:
    roles = ["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"]
    client = connected(access_token=make_token(roles=roles))
    need = needs_of("PATCH", "v1.0", DEFAULTS)
    assert need is not None
    client.require_permissions([need])
    client.require_permissions([])


@pytest.mark.parametrize("method", ["post", "patch", "put", "delete"])
def test_a_write_in_check_mode_is_a_bug(
    connected: Connect, http: responses.RequestsMock, method: str, told: Told
) -> None:
    client = connected(check_mode=True, access_token=make_token())
    with pytest.raises(WriteInCheckMode, match=f"{method.upper()} /users/1"):
        client.delete("/users/1") if method == "delete" else getattr(client, method)("/users/1", {})
    assert (len(http.calls), told.writes) == (0, 0)


def test_reading_in_check_mode_is_fine(connected: Connect, http: responses.RequestsMock) -> None:
    http.get(USERS, json={"value": []})
    assert connected(check_mode=True, access_token=make_token()).list("/users") == []


def test_the_time_is_that_of_the_last_answer(client: GraphClient, http: responses.RequestsMock) -> None:
    for date in ("Sun, 06 Nov 1994 08:49:37 GMT", "nonsense"):
        http.get(USERS, json={"value": []}, headers={"Date": date})
    assert abs(client.now() - time.time()) < 60
    client.list("/users")
    assert 0 <= client.now() - 784111777 < 60
    client.list("/users")
    assert 0 <= client.now() - 784111777 < 60


def test_writes_ask_first_and_reads_do_not(client: GraphClient, http: responses.RequestsMock, told: Told) -> None:
    http.patch(f"{GRAPH}/v1.0{DEFAULTS}", status=204, match=[json_params_matcher({"isEnabled": True})])
    http.post(USERS, status=201, json={"id": "1"})
    http.delete(f"{USERS}/1", status=204)
    http.get(USERS, json={"value": []})
    assert client.patch(DEFAULTS, {"isEnabled": True}) is None
    assert client.post("/users", {"a": 1}) == {"id": "1"}
    client.delete("/users/1")
    client.list("/users")
    assert told.writes == 3


def test_a_write_that_comes_too_late_is_not_sent(connected: Connect, http: responses.RequestsMock) -> None:
    def too_late() -> None:
        raise DeadlineExceeded("Too late.")

    client = connected(before_write=too_late, access_token=make_token())
    with pytest.raises(DeadlineExceeded):
        client.patch(DEFAULTS, {})
    assert len(http.calls) == 0


def test_throttling_without_an_end_is_told(client: GraphClient, http: responses.RequestsMock) -> None:
    http.get(USERS, status=429, headers={"Retry-After": "7200"}, json=graph_error("TooManyRequests", "Slow down."))
    with pytest.raises(Throttled, match="asks to wait 7200 seconds"):
        client.list("/users")


def test_a_lasting_outage_is_told(client: GraphClient, http: responses.RequestsMock) -> None:
    for _attempt in range(7):
        http.get(USERS, status=503)
    with pytest.raises(Unavailable):
        client.list("/users")


def test_a_refused_token_is_renewed_once(connected: Connect, http: responses.RequestsMock, told: Told) -> None:
    client = connected(access_token=make_token(), tenant_id=TENANT, client_id=CLIENT, client_secret="s3cret")
    fresh = make_token(roles=["User.Read.All"])
    http.get(USERS, status=401, json=graph_error("InvalidAuthenticationToken", "Expired."))
    discovery(http)
    http.post(f"{LOGIN}/{TENANT}/oauth2/v2.0/token", json=token_answer(fresh))
    http.get(USERS, json={"value": [{"id": "1"}]}, match=[header_matcher({"Authorization": f"Bearer {fresh}"})])
    http.get(USERS, json={"value": []}, match=[header_matcher({"Authorization": f"Bearer {fresh}"})])
    assert client.list("/users") == [{"id": "1"}]
    assert client.list("/users") == []
    assert fresh in told.secrets


def test_a_token_refused_twice_is_an_error(connected: Connect, http: responses.RequestsMock) -> None:
    client = connected(access_token=make_token(), tenant_id=TENANT, client_id=CLIENT, client_secret="s3cret")
    http.get(USERS, status=401, json={})
    discovery(http)
    http.post(f"{LOGIN}/{TENANT}/oauth2/v2.0/token", json=token_answer(make_token()))
    http.get(USERS, status=401, json={})
    with pytest.raises(Unauthorized, match="log in again"):
        client.list("/users")


def test_a_refused_token_without_credentials_is_an_error(client: GraphClient, http: responses.RequestsMock) -> None:
    http.get(USERS, status=401, json=graph_error("InvalidAuthenticationToken", "Bad."))
    with pytest.raises(Unauthorized, match="log in again"):
        client.list("/users")


def test_a_token_about_to_expire_is_renewed_before_use(connected: Connect, http: responses.RequestsMock) -> None:
    client = connected(
        access_token=make_token(lifetime=200), tenant_id=TENANT, client_id=CLIENT, client_secret="s3cret"
    )
    fresh = make_token()
    discovery(http)
    http.post(f"{LOGIN}/{TENANT}/oauth2/v2.0/token", json=token_answer(fresh))
    http.get(USERS, json={"value": []}, match=[header_matcher({"Authorization": f"Bearer {fresh}"})])
    client.list("/users")


def test_a_token_about_to_expire_is_used_when_nothing_can_renew_it(
    connected: Connect, http: responses.RequestsMock
) -> None:
    http.get(USERS, json={"value": []})
    connected(access_token=make_token(lifetime=200)).list("/users")


def test_an_expired_token_without_credentials_says_so(connected: Connect, http: responses.RequestsMock) -> None:
    with pytest.raises(SignInError, match=r"expired.*log in again"):
        connected(access_token=make_token(lifetime=-10)).list("/users")
    assert len(http.calls) == 0


def test_a_renewed_token_of_another_tenant_is_refused(connected: Connect, http: responses.RequestsMock) -> None:
    client = connected(
        access_token=make_token(lifetime=-10),
        client_secret="s3cret",
        client_id=CLIENT,
    )
    discovery(http)
    other = make_token(tenant="99999999-2222-3333-4444-555555555555")
    http.post(f"{LOGIN}/{TENANT}/oauth2/v2.0/token", json=token_answer(other))
    with pytest.raises(SignInError, match="belong to tenant 99999999"):
        client.list("/users")


@pytest.mark.parametrize(
    "path",
    [
        "users",
        "",
        "/",
        "//evil.example.com/users",
        "https://evil.example.com/users",
        "/users//x",
        "/users/../policies",
        "/users/%2e%2E/policies",
        "/users/./x",
        "/users/a#b",
        "/users/a b",
        "/users\\x",
        "/users/\r\nX: y",
        "/users/%0d%0aX",
        "/users?a=b#c",
        "/users?a=\x00",
    ],
)
def test_a_path_that_cannot_be_is_refused(client: GraphClient, http: responses.RequestsMock, path: str) -> None:
    with pytest.raises(OptionError):
        client.get(path)
    assert len(http.calls) == 0


def test_an_unknown_version_is_refused(client: GraphClient) -> None:
    with pytest.raises(OptionError, match=r"Unknown version 'v2\.0'"):
        client.get("/users", version="v2.0")


def test_the_log_of_calls_is_small_and_without_ids(client: GraphClient, http: responses.RequestsMock) -> None:
    for user in (TENANT, CLIENT):
        http.get(f"{USERS}/{user}", json={})
    http.get(f"{USERS}/ann%40contoso.com", status=404, json={})
    client.get(f"/users/{TENANT}")
    client.get(f"/users/{CLIENT}")
    with pytest.raises(NotFound):
        client.get("/users/ann%40contoso.com")
    assert client.calls.as_result() == [
        {"method": "GET", "path": "/v1.0/users/{id}", "status": 200, "count": 2},
        {"method": "GET", "path": "/v1.0/users/{id}", "status": 404, "count": 1},
    ]


def test_the_log_of_calls_is_bounded(client: GraphClient) -> None:
    for number in range(5000):
        client.calls.record("GET", f"/v1.0/{'users' if number % 2 else 'groups'}", 200)
    entries = client.calls.as_result()
    assert len(entries) <= 501
    assert sum(entry["count"] for entry in entries) == 5000


def test_no_secret_in_any_error(connected: Connect, http: responses.RequestsMock, told: Told) -> None:
    token = make_token()
    client = connected(access_token=token, tenant_id=TENANT, client_id=CLIENT, client_secret="s3cret")
    http.get(USERS, status=401, json={})
    discovery(http)
    http.post(
        f"{LOGIN}/{TENANT}/oauth2/v2.0/token",
        status=401,
        json={"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret."},
    )
    with pytest.raises(M365Error) as caught:
        client.list("/users")
    shown: list[BaseException | None] = [caught.value, caught.value.__cause__]
    for text in [repr(shown), str(caught.value), repr(caught.value.as_result()), repr(client)]:
        assert token not in text
        assert "s3cret" not in text
    assert {token, "s3cret"} <= set(told.secrets)
