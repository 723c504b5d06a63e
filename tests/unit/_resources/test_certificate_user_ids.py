# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificate user IDs of people of a simulated tenant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    GraphError,
    MissingPermissions,
    OptionError,
    PermissionMissing,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.certificate_user_ids import RESOURCE
from ansible_collections.zerotrust.m365.tests.scenarios.asking import (
    GLOBAL_ADMINISTRATOR,
    PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
    USERS,
    give_role,
    new_user,
)
from ansible_collections.zerotrust.m365.tests.unit._resources.simulated_graph import Task
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL, Client
from m365_simulator.simulation import Options, Simulation

ONE, TWO, THREE = "X509:<SKI>1111", "X509:<SKI>2222", "X509:<I>CN=CA<SR>33"
REQUEST_ID = re.compile(r" \(request-id \S+\)")


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    made = Simulation(Options(scenarios=("hybrid",)), [URL])
    yield made
    made.close()


class Account:
    """Somebody new in the tenant, with what the module does for her."""

    def __init__(self, simulation: Simulation) -> None:
        simulation.reset()
        self.client = Client(simulation, [])
        self.body = new_user(self.client).body
        self.id: str = self.body["id"]
        self.task = Task(RESOURCE, self.client)

    def run(self, *ids: str, **options: Any) -> dict[str, Any]:
        given = {"user": self.body["userPrincipalName"], "certificate_user_ids": list(ids)}
        return self.task.run(**{**given, **options})

    def refused(self, error: type[Exception], *ids: str, **options: Any) -> str:
        """The message of what a dry run and a run refuse with the same words, without a write."""
        messages = []
        for check_mode in (True, False):
            with pytest.raises(error) as caught:
                self.run(*ids, check_mode=check_mode, **options)
            messages.append(REQUEST_ID.sub("", str(caught.value)))
            assert self.task.wrote == []
        assert messages[0] == messages[1]
        return messages[0]

    def bound(self) -> list[str]:
        body = self.client.get(f"{USERS}/{self.id}?$select=authorizationInfo").body
        found: list[str] = body["authorizationInfo"]["certificateUserIds"]
        return found


@pytest.fixture
def account(simulation: Simulation) -> Account:
    return Account(simulation)


def test_ids_are_added_replaced_and_taken_away(account: Account) -> None:
    account.client.admin("POST", f"/users/{account.id}/register", {"methods": ["softwareOneTimePasscode"]})
    for state, given, expected in (
        ("present", [TWO, ONE], [TWO, ONE]),
        ("present", [THREE, ONE], [TWO, ONE, THREE]),
        ("absent", [ONE, "X509:<SKI>4444"], [TWO, THREE]),
        ("set", [ONE], [ONE]),
        ("set", [], []),
        ("present", [ONE], [ONE]),
        ("absent", [ONE], []),
    ):
        before = account.bound() if state != "present" or expected != [TWO, ONE] else []
        planned = account.run(*given, state=state, check_mode=True)
        assert account.task.wrote == []
        made = account.run(*given, state=state)
        assert len(account.task.wrote) == 1
        assert (planned["changed"], planned["diff"]) == (True, made["diff"])
        assert planned["certificate_user_ids"] == made["certificate_user_ids"]
        assert made["diff"][0]["before"] == {"certificate_user_ids": sorted(before)}
        assert made["diff"][0]["after"] == {"certificate_user_ids": sorted(expected)}
        assert account.bound() == expected
        assert made["certificate_user_ids"] == {
            "user_id": account.id,
            "user_principal_name": account.body["userPrincipalName"],
            "ids": sorted(expected),
            "second_factor": "prepared" if expected else "none",
        }
        again = account.run(*reversed(given), state=state)
        assert (again["changed"], again["diff"], account.task.wrote) == (False, [], [])
        assert again["certificate_user_ids"] == made["certificate_user_ids"]


def test_an_administrator_takes_a_role_that_the_error_names(account: Account) -> None:
    give_role(account.client, account.id, GLOBAL_ADMINISTRATOR)
    with pytest.raises(PermissionMissing, match="directory role Privileged Authentication Administrator as well"):
        account.run(ONE)
    give_role(account.client, account.client.tenant.application.object_id, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR)
    assert account.run(ONE)["certificate_user_ids"]["ids"] == [ONE]


def test_the_last_certificate_may_be_the_only_way_in(account: Account) -> None:
    account.run(ONE, TWO)
    for state, given in (("absent", [ONE, TWO]), ("set", [])):
        message = account.refused(OptionError, *given, state=state)
        assert message.startswith("The certificate is the only second factor that Graph shows of new.one@")
    assert account.run(ONE, state="absent")["certificate_user_ids"]["ids"] == [TWO]
    give_role(account.client, account.client.tenant.application.object_id, PRIVILEGED_AUTHENTICATION_ADMINISTRATOR)
    assert account.run(TWO, state="absent", force=True)["certificate_user_ids"]["second_factor"] == "none"
    account.run(ONE)
    give_role(account.client, account.id, GLOBAL_ADMINISTRATOR)
    assert "'force' does not reach" in account.refused(OptionError, ONE, state="absent", force=True)


def test_a_synchronised_user_is_changed_elsewhere(account: Account) -> None:
    found = account.client.get(f"{USERS}?$filter=onPremisesSyncEnabled eq true&$select=userPrincipalName").value
    message = account.refused(OptionError, ONE, user=found[0]["userPrincipalName"])
    assert "is synchronised from on-premises Active Directory" in message
    assert account.run(ONE, state="absent", user=found[0]["userPrincipalName"])["changed"] is False


@pytest.mark.parametrize(
    ("ids", "options", "sentence"),
    [
        (["bob@contoso.example"], {}, "has none of the forms that Entra knows"),
        ([ONE, ONE], {}, "is named more than once"),
        ([], {}, "certificate_user_ids is empty; only 'state: set' takes that."),
        ([], {"state": "absent"}, "certificate_user_ids is empty"),
        ([ONE], {"user": "nobody@contoso.example"}, "There is no user 'nobody@contoso.example' in this tenant."),
        ([f"X509:<SKI>{number}" for number in range(11)], {}, "would have 11 certificate user IDs"),
    ],
)
def test_bad_input_is_refused(account: Account, ids: list[str], options: dict[str, Any], sentence: str) -> None:
    assert sentence in account.refused(OptionError, *ids, **options)


def test_ten_in_all_are_too_many_with_one_more(account: Account) -> None:
    account.run(*(f"X509:<SKI>{number}" for number in range(10)))
    assert "would have 11" in account.refused(OptionError, "X509:<SKI>10")
    assert account.run("X509:<SKI>10", state="set")["certificate_user_ids"]["ids"] == ["X509:<SKI>10"]


def test_an_id_of_somebody_else_is_refused_by_graph(account: Account) -> None:
    other = new_user(account.client, userPrincipalName=f"other@{account.client.tenant.initial_domain}").body["id"]
    account.run(ONE, user=other)
    with pytest.raises(GraphError, match="already exists"):
        account.run(ONE)


def test_reading_suffices_for_a_dry_run(account: Account) -> None:
    account.client.grant("User.Read.All")
    assert account.run(ONE, check_mode=True)["changed"] is True
    with pytest.raises(MissingPermissions, match=r"User\.ReadWrite\.All"):
        account.run(ONE)
