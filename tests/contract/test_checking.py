# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checker finds each kind of lie that is planted, and nothing in an honest exchange."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.contract.checking import Contract, check_error
from ansible_collections.zerotrust.m365.tests.contract.tables import NotNeeded, Table, read_exceptions, read_table
from m365_simulator.exchanges import Exchange

ID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
CONTEXT = "https://graph.microsoft.com/v1.0/$metadata#"
METHODS = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations"

Change = Callable[[Any], Any]


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract()


def exchange(method: str, path: str, status: int = 200, **more: Any) -> Exchange:
    fields: dict[str, Any] = {"version": "v1.0", "query": "", "request": None, "answer": None, **more}
    return Exchange(number=1, batch=None, tenant=None, method=method, path=path, status=status, **fields)


def page(*items: Any) -> dict[str, Any]:
    return {"@odata.context": f"{CONTEXT}users", "value": list(items)}


USERS = exchange(
    "GET",
    "/users",
    query="$select=id,accountEnabled,createdDateTime,otherMails&$filter=accountEnabled eq true",
    answer={
        **page({"id": ID, "accountEnabled": True, "createdDateTime": "2026-01-02T03:04:05Z", "otherMails": ["a@b.c"]}),
        "@odata.nextLink": "https://graph.microsoft.com/v1.0/users?$skiptoken=x",
    },
)
POLICY = exchange(
    "POST",
    "/identity/conditionalAccess/policies",
    201,
    request={
        "displayName": "MFA",
        "state": "enabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "users": {
                "includeGuestsOrExternalUsers": {
                    "guestOrExternalUserTypes": "internalGuest,serviceProvider",
                    "externalTenants": {
                        "@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants",
                        "membershipKind": "all",
                    },
                }
            },
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    },
    answer={"@odata.context": f"{CONTEXT}identity", "id": ID, "displayName": "MFA", "state": "enabled"},
)
CONFIGURATION = exchange(
    "PATCH",
    f"{METHODS}/sms",
    204,
    request={
        "@odata.type": "#microsoft.graph.smsAuthenticationMethodConfiguration",
        "state": "enabled",
        "includeTargets": [{"id": "all_users", "targetType": "group", "isUsableForSignIn": False}],
    },
)
HONEST = [
    USERS,
    POLICY,
    CONFIGURATION,
    exchange("GET", "/users/$count", query="$filter=accountEnabled eq true", answer=3),
    exchange("GET", "/me", answer={"@odata.context": CONTEXT, "id": ID}),
    exchange("GET", f"/directoryRoles(roleTemplateId='{ID}')", answer={"@odata.context": CONTEXT, "id": ID}),
    exchange("GET", f"/users('{ID}')/memberOf", answer=page({"@odata.type": "#microsoft.graph.group", "id": ID})),
    exchange(
        "GET",
        f"/groups/{ID}",
        query="$expand=members($select=id)",
        answer={"@odata.context": CONTEXT, "id": ID, "members": [{"@odata.type": "#microsoft.graph.user", "id": ID}]},
    ),
    exchange("POST", f"/users/{ID}/revokeSignInSessions", answer={"@odata.context": CONTEXT, "value": True}),
    exchange("POST", f"/groups/{ID}/members/$ref", 204, request={"@odata.id": f"https://x/v1.0/users/{ID}"}),
    exchange(
        "GET",
        f"/users/{ID}/authentication/requirements",
        version="beta",
        answer={"@odata.context": "https://x/beta/$metadata#users", "perUserMfaState": "enforced"},
    ),
    exchange(
        "POST",
        "/$batch",
        request={"requests": [{"id": "1", "method": "GET", "url": "/users"}]},
        answer={"responses": [{"id": "1", "status": 200, "headers": {}, "body": {}}]},
    ),
]


@pytest.mark.parametrize("honest", HONEST, ids=lambda honest: f"{honest.method} {honest.path}")
def test_an_honest_exchange(contract: Contract, honest: Exchange) -> None:
    assert contract.check(honest) == []


def put(*path: Any) -> Change:
    """Set the last of the path to a value, on the way of the others."""
    *way, last, value = path

    def change(body: Any) -> Any:
        body = copy.deepcopy(body)
        place = body
        for step in way:
            place = place[step]
        place[last] = value
        return body

    return change


def without(*path: Any) -> Change:
    def change(body: Any) -> Any:
        body = copy.deepcopy(body)
        place = body
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]
        return body

    return change


LIES_IN_ANSWERS: list[tuple[Exchange, Change, str]] = [
    (USERS, put("value", 0, "accountenabled", True), "user has no accountenabled, but a accountEnabled"),
    (USERS, put("value", 0, "accountEnabled", "yes"), "accountEnabled is 'yes', not boolean"),
    (USERS, put("value", 0, "createdDateTime", "yesterday"), "createdDateTime is 'yesterday', not date-time"),
    (USERS, put("value", 0, "otherMails", "a@b.c"), "otherMails is 'a@b.c', not a collection"),
    (USERS, put("value", 0, "otherMails", None), "otherMails is None, not a collection"),
    (USERS, put("value", 0, "displayName", "Ann"), "displayName was not selected"),
    (USERS, put("value", 0, "memberOf", []), "is a navigation property that nobody expanded"),
    (USERS, put("value", 0, "@odata.type", "#microsoft.graph.group"), "which is no user"),
    (USERS, put("value", 0, "@odata.kind", "x"), "has the annotation @odata.kind"),
    (USERS, put("value", 0, "nobody@odata.context", "x"), "but no property nobody"),
    (USERS, put("value", {}), "needs a list named value"),
    (USERS, put("next", "x"), "a page of a collection has no next"),
    (USERS, put("@odata.nextLink", "https://graph.microsoft.com/beta/users"), "is of another version"),
    (USERS, put("@odata.context", "https://graph.microsoft.com/beta/$metadata#users"), "is of another version"),
    (USERS, without("@odata.context"), "there is no @odata.context"),
    (POLICY, put("state", "on"), "state is 'on', which is no conditionalAccessPolicyState"),
    (POLICY, put("id", 1), "id is 1, not string"),
    (POLICY, lambda _body: None, "there is no body"),
    (CONFIGURATION, lambda _body: {}, "there is a body with status 204"),
]


@pytest.mark.parametrize(("honest", "change", "finding"), LIES_IN_ANSWERS)
def test_a_lie_in_an_answer(contract: Contract, honest: Exchange, change: Change, finding: str) -> None:
    found = contract.check(replace(honest, answer=change(honest.answer)), every_request=False)
    assert any(finding in text for text in found), found


USERS_OF_POLICY = ("conditions", "users", "includeGuestsOrExternalUsers")
LIES_IN_REQUESTS: list[tuple[Exchange, Change, str]] = [
    (POLICY, put("enabled", True), "conditionalAccessPolicy has no enabled"),
    (POLICY, put("conditions", "clientAppTypes", ["any"]), "'any', which is no conditionalAccessClientApp"),
    (POLICY, put(*USERS_OF_POLICY, "guestOrExternalUserTypes", "internalGuest,x"), "'x', which is no"),
    (POLICY, put(*USERS_OF_POLICY, "guestOrExternalUserTypes", ["internalGuest"]), "which is no"),
    (POLICY, without(*USERS_OF_POLICY, "externalTenants", "@odata.type"), "needs an @odata.type"),
    (POLICY, put("grantControls", []), "grantControls is [], not an object"),
    (POLICY, put("@odata.count", 1), "does not belong in this request"),
    (POLICY, lambda _body: None, "body is null"),
    (CONFIGURATION, without("@odata.type"), "needs an @odata.type"),
    (CONFIGURATION, put("isOfficePhoneAllowed", True), "smsAuthenticationMethodConfiguration has no"),
    (CONFIGURATION, put("includeTargets", 0, "targetType", "device"), "'device', which is no"),
    (USERS, lambda _body: {"a": 1}, "a body where none belongs"),
]


@pytest.mark.parametrize(("honest", "change", "finding"), LIES_IN_REQUESTS)
def test_a_lie_in_a_request(contract: Contract, honest: Exchange, change: Change, finding: str) -> None:
    found = contract.check(replace(honest, request=change(honest.request)))
    assert any(finding in text for text in found), found


@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"path": "/people"}, "knows no such path"),
        ({"path": f"/users/{ID}/authentication/requirements"}, "knows no such path"),
        ({"path": "/Users"}, "Users is written users"),
        ({"method": "PUT"}, "knows no such path with PUT"),
        ({"version": "v2.0"}, "there is no version v2.0"),
        ({"query": "$filter=acountEnabled eq true"}, "$filter names 'acountEnabled'"),
        ({"query": "$filter=not(startswith(nick, 'a')) or id in ('a', 'b')"}, "$filter names 'nick'"),
        ({"query": "$filter=assignedLicenses/any(x:x/sku eq 1)"}, "$filter names 'x/sku'"),
        ({"query": "$select=id,name"}, "$select names 'name'"),
        ({"query": "$select=passwordProfile/hint"}, "$select names 'passwordProfile/hint'"),
        ({"query": "$orderby=displayname desc"}, "$orderby names 'displayname'"),
        ({"query": "$expand=displayName"}, "which is no navigation property"),
        ({"query": "$expand=manager($select=boss)"}, "$select names 'boss'"),
        ({"query": "$apply=x"}, "there is no $apply here"),
    ],
)
def test_a_lie_in_an_address(contract: Contract, changes: dict[str, Any], finding: str) -> None:
    asked = replace(USERS, status=404, answer=None, **changes)
    found = list(contract.check_request(asked))
    assert any(finding in text for text in found), found


@pytest.mark.parametrize(
    "query",
    [
        "$filter=startswith(displayName, 'not a name') and not(id in ('a', 'b'))",
        "$filter=assignedLicenses/any(x:x/skuId eq 3f2504e0-4f89-41d3-9a0c-0305e82c3301)",
        "$filter=assignedLicenses/$count eq 0",
        "$filter=createdDateTime ge 2026-01-01T00:00:00Z and otherMails/any(m:startswith(m, 'o''brien'))",
        "$filter=signInActivity/lastSignInDateTime le 2026-01-01T00:00:00Z",
        "$select=id,*",
        "$select=id,passwordProfile/password&$orderby=displayName desc,id&$top=5&$skiptoken=a",
        "$expand=manager($levels=max;$select=id,displayName)",
        '$count=true&$search="displayName:x"',
    ],
)
def test_names_that_are_there(contract: Contract, query: str) -> None:
    assert list(contract.check_request(replace(USERS, query=query))) == []


def test_names_and_members_of_one_version(contract: Contract) -> None:
    privileged = exchange("GET", f"/roleManagement/directory/roleDefinitions/{ID}")
    for version, findings in (("v1.0", 1), ("beta", 0)):
        context = f"https://x/{version}/$metadata#x"
        answer = {"@odata.context": context, "id": ID, "isPrivileged": True}
        assert len(contract.check(replace(privileged, version=version, answer=answer))) == findings


ERROR = {
    "error": {
        "code": "BadRequest",
        "message": "",
        "innerError": {"date": "2026-01-01T00:00:00", "request-id": ID, "client-request-id": ID},
    }
}


@pytest.mark.parametrize(
    ("change", "finding"),
    [
        (put("error", "code", ""), "error.code is empty"),
        (put("error", "code", 400), "error.code is 400"),
        (without("error", "message"), "error.message is None"),
        (without("error", "innerError"), "needs its innerError"),
        (without("error", "innerError", "date"), "innerError needs its date"),
        (put("error", "status", 400), "an error has no status"),
        (put("error", "details", ["x"]), "error.details has 'x'"),
        (put("value", []), "without Graph's shape"),
        (lambda _body: None, "without Graph's shape"),
    ],
)
def test_the_shape_of_errors(change: Change, finding: str) -> None:
    assert list(check_error(ERROR)) == []
    assert any(finding in text for text in check_error(change(ERROR)))


def test_only_accepted_requests_are_looked_at_where_they_may_be_wrong(contract: Contract) -> None:
    wrong = replace(POLICY, request={"enabled": True})
    refused = replace(wrong, status=400, answer=ERROR)
    assert contract.check(wrong, every_request=False)
    assert contract.check(refused, every_request=False) == []
    assert contract.check(refused)


def test_an_exception_that_the_schema_has_by_now() -> None:
    known = read_exceptions()[0]
    content = read_table("v1.0")
    Table("v1.0", content, [known])
    user = content["types"]["microsoft.graph.user"]
    newer = {**user, "properties": {**user["properties"], "perUserMfaState": "string"}}
    with pytest.raises(NotNeeded, match=r"v1\.0 has perUserMfaState"):
        Table("v1.0", {**content, "types": {**content["types"], "microsoft.graph.user": newer}}, [known])
