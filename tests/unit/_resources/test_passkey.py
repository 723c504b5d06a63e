# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passkeys, on a software security key, for people of a simulated tenant."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fido2.hid import CtapHidDevice

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    GraphError,
    MissingPermissions,
    OptionError,
    PermissionMissing,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.passkey import RESOURCE
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.security_key import SecurityKeyFailed
from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    GLOBAL_ADMINISTRATOR,
    advance,
    configure,
    give_role,
    keys_of,
    new_user,
    passes_of,
)
from ansible_collections.zerotrust.m365.tests.unit._resources.simulated_graph import Task
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL, Answer, Client
from ansible_collections.zerotrust.m365.tests.unit.simulator.software_security_key import SoftwareSecurityKey
from ansible_collections.zerotrust.m365.tests.unit.simulator.test_transitive_member_of import new_group
from m365_simulator.simulation import Options, Simulation

PIN = "safe-key-493716"
MODEL = "de1e552d-db1d-4423-a619-566b625cdc84"
OTHER_MODEL = "00000000-db1d-4423-a619-566b625cdc84"
NAME = "Safe in Utrecht"
REQUEST_ID = re.compile(r" \(request-id \S+\)")


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    made = Simulation(Options(scenarios=("business",)), [URL])
    yield made
    made.close()


@pytest.fixture
def business(simulation: Simulation) -> Client:
    simulation.reset()
    return Client(simulation, [])


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> SoftwareSecurityKey:
    """Plugged in."""
    made = SoftwareSecurityKey(pin=PIN)
    monkeypatch.setattr(CtapHidDevice, "list_devices", lambda: iter([made]))
    return made


class Account:
    """Somebody new in the tenant, with what the module does for her."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.body = new_user(client).body
        self.id: str = self.body["id"]
        self.task = Task(RESOURCE, client)

    def run(self, **options: Any) -> dict[str, Any]:
        given = {"user": self.body["userPrincipalName"], "display_name": NAME, "pin": PIN, "touch_timeout": 5}
        result = self.task.run(**{**given, **options})
        assert PIN not in json.dumps(result)
        return result

    def refused(self, error: type[Exception] = OptionError, **options: Any) -> str:
        """The message of what a dry run and a run refuse with the same words, without a write."""
        messages = []
        for check_mode in (True, False):
            with pytest.raises(error) as caught:
                self.run(check_mode=check_mode, **options)
            messages.append(REQUEST_ID.sub("", str(caught.value)))
            assert self.task.wrote == []
        assert messages[0] == messages[1]
        return messages[0]

    def passkeys(self) -> list[dict[str, Any]]:
        return self.client.get(keys_of(self.id)).value


@pytest.fixture
def account(business: Client) -> Account:
    return Account(business)


def test_a_key_is_registered_once(account: Account, key: SoftwareSecurityKey) -> None:
    planned = account.run(check_mode=True)
    assert (planned["changed"], account.task.wrote, key.registrations, key.closed) == (True, [], 0, 0)
    assert not any("creationOptions" in path for _method, path in account.task.sent)
    made = account.run()
    assert made["diff"] == planned["diff"]
    assert made["diff"][0]["after"] == {"display_name": NAME}
    (registered,) = account.passkeys()
    assert made["passkey"] == {
        "user_id": account.id,
        "user_principal_name": account.body["userPrincipalName"],
        "display_name": NAME,
        "exists": True,
        "id": registered["id"],
        "aaguid": MODEL,
        "model": registered["model"],
        "kind": "device_bound",
        "attestation": "attested",
        "created": registered["createdDateTime"],
        "allowed": True,
    }
    told = {name: value for name, value in planned["passkey"].items() if value is not None}
    assert told.items() <= made["passkey"].items()
    assert set(planned["passkey"]) == set(made["passkey"])

    key.pin = None  # any use of it would fail
    for check_mode in (False, True):
        again = account.run(check_mode=check_mode, pin=None)
        assert (again["changed"], again["diff"], again["passkey"]) == (False, [], made["passkey"])
        assert account.task.wrote == []


def test_the_user_may_be_named_by_id(account: Account, key: SoftwareSecurityKey) -> None:
    assert account.run(user=account.id)["passkey"]["user_principal_name"] == account.body["userPrincipalName"]


def test_a_key_under_another_name_is_no_second_one(account: Account, key: SoftwareSecurityKey) -> None:
    account.run()
    with pytest.raises(SecurityKeyFailed, match=r"holds a passkey of new\.one@.* already"):
        account.run(display_name="Another")
    assert account.task.wrote == []
    assert len(account.passkeys()) == 1


def test_two_keys_have_two_names(account: Account, key: SoftwareSecurityKey) -> None:
    account.run()
    key.credentials.clear()
    account.run(display_name="Another")
    assert [one["displayName"] for one in account.passkeys()] == [NAME, "Another"]


def restricted(client: Client, enforcement: str, *models: str) -> None:
    restrictions = {"isEnforced": True, "enforcementType": enforcement, "aaGuids": list(models)}
    assert configure(client, "Fido2", keyRestrictions=restrictions).status == 204


def test_what_the_policy_does_not_enable_is_refused(account: Account, key: SoftwareSecurityKey) -> None:
    configure(account.client, "Fido2", isSelfServiceRegistrationAllowed=False)
    assert "does not allow self-service set-up" in account.refused()
    other = new_group(account.client, "others")
    mine = new_group(account.client, "mine", account.id)
    for included, enabled in ((other, False), (mine, True)):
        targets = [{"id": included, "targetType": "group"}]
        configure(account.client, "Fido2", isSelfServiceRegistrationAllowed=True, includeTargets=targets)
        if enabled:
            assert account.run(check_mode=True)["changed"]
        else:
            assert "does not enable passkeys (FIDO2) for new.one@" in account.refused()
    configure(account.client, "Fido2", excludeTargets=[{"id": mine, "targetType": "group"}])
    assert "does not enable passkeys" in account.refused()
    configure(account.client, "Fido2", state="disabled", excludeTargets=[])
    assert "does not enable passkeys" in account.refused()
    assert key.closed == 0


@pytest.mark.parametrize(
    ("enforcement", "models", "fine"),
    [("allow", [MODEL.upper()], True), ("allow", [OTHER_MODEL], False), ("block", [MODEL], False), ("block", [], True)],
)
def test_the_model_is_judged_before_anybody_touches_it(
    account: Account, key: SoftwareSecurityKey, enforcement: str, models: list[str], fine: bool
) -> None:
    restricted(account.client, enforcement, *models)
    if fine:
        assert account.run()["passkey"]["allowed"] is True
        return
    with pytest.raises(OptionError, match=f"security keys of this model: its AAGUID is {MODEL}"):
        account.run()
    assert (key.registrations, key.tries, account.task.wrote, account.passkeys()) == (0, 8, [], [])


def test_an_enforced_attestation_is_judged_before_graph_is_asked(account: Account, key: SoftwareSecurityKey) -> None:
    configure(account.client, "Fido2", isAttestationEnforced=True)
    key.attestation = "none"
    with pytest.raises(OptionError, match="enforces attestation, but the security key gave none"):
        account.run()
    assert (account.task.wrote, account.passkeys()) == ([], [])
    key.attestation = "certificate"
    assert account.run()["passkey"]["attestation"] == "attested"


def profile(number: int, kinds: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"00000000-0000-0000-0000-00000000000{number}",
        "name": f"Profile {number}",
        "passkeyTypes": kinds,
        "attestationEnforcement": "disabled",
        "keyRestrictions": {"isEnforced": False, "enforcementType": "block", "aaGuids": []},
        **changes,
    }


def test_profiles_are_judged_as_alternatives(account: Account, key: SoftwareSecurityKey) -> None:
    synced, bound = profile(2, "synced"), profile(3, "deviceBound,synced", attestationEnforcement="registrationOnly")
    everybody = {"id": "all_users", "targetType": "group"}

    def choose(*profiles: dict[str, Any]) -> None:
        chosen = [one["id"] for one in profiles]
        targets = [{**everybody, "allowedPasskeyProfiles": chosen}]
        answer = configure(account.client, "Fido2", passkeyProfiles=[synced, bound], includeTargets=targets)
        assert answer.status == 204, answer.content

    choose(synced)
    assert "synced passkeys only" in account.refused()
    choose(synced, bound)
    key.attestation = "none"
    with pytest.raises(OptionError, match="enforces attestation"):
        account.run()
    key.attestation = "certificate"
    key.credentials.clear()
    assert account.run()["passkey"]["allowed"] is True
    choose(synced)
    assert account.run()["passkey"]["allowed"] is False
    configure(account.client, "Fido2", state="disabled")
    assert account.run()["passkey"]["allowed"] is False


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"display_name": ""}, "display_name must have 1 to 30 characters"),
        ({"display_name": "x" * 31}, "display_name must have 1 to 30 characters"),
        ({"display_name": " x"}, "without a blank at either end"),
        ({"touch_timeout": 0}, "touch_timeout must be 1 to 240 seconds"),
        ({"touch_timeout": 241}, "touch_timeout must be 1 to 240 seconds"),
        ({"user": "nobody@contoso.example"}, "There is no user 'nobody@contoso.example' in this tenant."),
    ],
)
def test_bad_input_is_refused(account: Account, options: dict[str, Any], sentence: str) -> None:
    assert sentence in account.refused(**options)


@pytest.mark.parametrize("cloud", ["usgov", "usgov_dod", "china"])
def test_national_clouds_are_refused_before_anything_is_sent(account: Account, cloud: str) -> None:
    account.task = Task(RESOURCE, account.client, cloud)
    assert f"in the cloud '{cloud}'" in account.refused()
    assert account.task.sent == []


def test_a_challenge_that_waited_too_long_is_refused(
    account: Account, key: SoftwareSecurityKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch = key.call

    def late(*arguments: Any, **more: Any) -> bytes:
        advance(account.client, 400)
        return touch(*arguments, **more)

    monkeypatch.setattr(key, "call", late)
    with pytest.raises(GraphError, match="expired"):
        account.run()
    assert account.passkeys() == []


def test_a_user_who_was_created_a_moment_ago_is_waited_for(
    account: Account, key: SoftwareSecurityKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = ["GET fido2Methods", "GET creationOptions", "POST fido2Methods"]
    send = account.client.send

    def replicating(method: str, path: str, **more: Any) -> Answer:
        what = f"{method} {path.rpartition('/')[2]}"
        if what not in unknown:
            return send(method, path, **more)
        unknown.remove(what)
        error = {"code": "Request_ResourceNotFound", "message": "Resource does not exist.", "innerError": {}}
        return Answer(404, {"content-type": "application/json"}, json.dumps({"error": error}).encode())

    monkeypatch.setattr(account.client, "send", replicating)
    assert account.run(wait_timeout=20)["passkey"]["exists"]
    assert (unknown, key.registrations) == ([], 1)


def test_reading_suffices_for_a_dry_run(account: Account, key: SoftwareSecurityKey) -> None:
    reading = ["User.Read.All", "GroupMember.Read.All", "UserAuthMethod-Passkey.Read.All"]
    account.client.grant(*reading, "Policy.Read.AuthenticationMethod")
    assert account.run(check_mode=True)["changed"]
    with pytest.raises(MissingPermissions, match=r"UserAuthMethod-Passkey\.ReadWrite\.All"):
        account.run()
    assert key.closed == 0
    account.client.grant(*reading, "UserAuthMethod-Passkey.ReadWrite.All", "Policy.Read.AuthenticationMethod")
    assert account.run()["passkey"]["exists"]


def test_a_policy_that_cannot_be_read_allows_nothing(account: Account, key: SoftwareSecurityKey) -> None:
    account.client.grant("User.Read.All", "GroupMember.Read.All", "UserAuthMethod-Passkey.ReadWrite.All")
    account.refused(PermissionMissing)
    assert key.closed == 0


# Removing


def removed(account: Account, **options: Any) -> dict[str, Any]:
    return account.run(state="absent", pin=None, **options)


def test_a_lost_key_is_removed_once_there_is_another(account: Account, key: SoftwareSecurityKey) -> None:
    give_role(account.client, account.id, GLOBAL_ADMINISTRATOR)
    account.run()
    key.credentials.clear()
    account.run(display_name="Another")
    planned = removed(account, check_mode=True)
    assert (planned["changed"], account.task.wrote, len(account.passkeys())) == (True, [], 2)
    gone = removed(account)
    assert gone["diff"] == planned["diff"]
    assert gone["passkey"] == planned["passkey"]
    assert (gone["passkey"]["exists"], gone["passkey"]["id"], gone["passkey"]["allowed"]) == (False, None, None)
    assert [one["displayName"] for one in account.passkeys()] == ["Another"]
    assert removed(account)["changed"] is False
    assert account.task.wrote == []


def test_the_only_second_factor_is_kept_unless_forced(account: Account, key: SoftwareSecurityKey) -> None:
    account.run()
    assert account.client.call("POST", passes_of(account.id), {}).status == 201, "which does not count"
    assert "is the only second factor that Graph shows of new.one@" in account.refused(state="absent")
    assert removed(account, force=True)["changed"] is True
    assert account.passkeys() == []


@pytest.mark.parametrize("through_group", [False, True])
def test_that_of_a_global_administrator_is_kept_even_when_forced(
    account: Account, key: SoftwareSecurityKey, through_group: bool
) -> None:
    account.run()
    principal = new_group(account.client, "administrators", account.id) if through_group else account.id
    give_role(account.client, principal, GLOBAL_ADMINISTRATOR)
    assert "'force' does not reach a Global Administrator" in account.refused(state="absent", force=True)
    account.client.admin("POST", f"/users/{account.id}/register", {"methods": ["microsoftAuthenticatorPush"]})
    assert removed(account)["changed"] is True


def test_who_may_be_an_administrator_counts_as_one(account: Account, key: SoftwareSecurityKey) -> None:
    account.run()
    account.client.grant(
        "User.Read.All", "UserAuthMethod-Passkey.ReadWrite.All", "UserAuthenticationMethod.Read.All"
    )  # and none to read roles
    assert "or who may be one" in account.refused(state="absent", force=True)


def test_of_two_that_are_called_the_same_none_is_removed(account: Account, key: SoftwareSecurityKey) -> None:
    account.run()
    key.credentials.clear()
    account.run(display_name="Another")

    def same_names(answer: Callable[..., Any]) -> Callable[..., Any]:
        def read(*arguments: Any, **more: Any) -> Any:
            found = answer(*arguments, **more)
            return type(found)(found.status, found.headers, found.content.replace(b'"Another"', f'"{NAME}"'.encode()))

        return read

    account.client.send = same_names(account.client.send)  # type: ignore[method-assign]
    assert "has 2 passkeys with the display name" in account.refused(state="absent")
