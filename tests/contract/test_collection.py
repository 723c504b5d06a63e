# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection has in tables of its own, against Microsoft's schema."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import Property
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.resource import PropertyTable
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.permissions import TABLE
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.permissions import Row as PermissionRow
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import __name__ as resources
from ansible_collections.zerotrust.m365.tests.contract.checking import Contract
from ansible_collections.zerotrust.m365.tests.contract.tables import Table
from ansible_collections.zerotrust.m365.tests.unit._resources import tenant_answers
from m365_simulator.exchanges import Exchange

UNDOCUMENTED = "unknownFutureValue"
"""A member of Microsoft's enumerations that is never sent."""
ANSIBLE_TYPES = {"boolean": "bool", "integer": "int", "number": "float"}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract()


def property_tables() -> Iterator[Any]:
    folder = Path(str(import_module(resources).__file__)).parent
    for file in sorted(folder.glob("[a-z]*.py")):
        for name, value in vars(import_module(f"{resources}.{file.stem}")).items():
            if isinstance(value, PropertyTable):
                yield pytest.param(value, id=f"{file.stem}.{name}")


def microsoft_type(table: Table, path: str) -> str:
    template = table.template(path)
    assert template is not None, f"{table.sdk} knows no {path}"
    of_type = table.paths[template]["GET"]["answer"]
    return str(of_type["page"] if isinstance(of_type, dict) else of_type)


def differences(table: Table, managed: PropertyTable) -> list[str]:
    """Between a property table and Microsoft's type, in sentences."""
    known = {name: kind for name, (kind, _declaring) in table.properties(microsoft_type(table, managed.path)).items()}
    mine = {row.graph for row in managed.rows}
    found = [f"{name} is neither managed nor said to be unmanaged" for name in known if not _is_listed(managed, name)]
    found += [f"{name} is managed and said to be unmanaged" for name in mine & set(managed.unmanaged)]
    found += [f"Microsoft has no {name}" for name in (mine | set(managed.unmanaged)) - set(known)]
    for row in managed.rows:
        if row.graph in known:
            found += _differences_of_type(table, row, known[row.graph])
    return found


def _is_listed(managed: PropertyTable, name: str) -> bool:
    return name in managed.unmanaged or any(row.graph == name for row in managed.rows)


def _differences_of_type(table: Table, row: Property, kind: Any) -> Iterator[str]:
    single = kind[0] if isinstance(kind, list) else kind
    scalar = "dict" if single in table.types else ANSIBLE_TYPES.get(single, "str")
    expected = ("list", scalar) if isinstance(kind, list) else (scalar, "")
    if (row.type, row.elements) != expected:
        yield f"{row.graph} is {row.type} {row.elements}, Microsoft's is {kind}"
    if single in table.enums and set(row.choices) != set(table.enums[single]["members"]) - {UNDOCUMENTED}:
        yield f"{row.graph} has the choices {row.choices}, Microsoft's has {table.enums[single]['members']}"


@pytest.mark.parametrize("managed", list(property_tables()))
def test_every_property_is_managed_or_deliberately_unmanaged(contract: Contract, managed: PropertyTable) -> None:
    assert differences(contract.tables[managed.version], managed) == []
    assert all(reason.strip() for reason in managed.unmanaged.values())


def test_a_difference_is_found(contract: Contract) -> None:
    rows = (
        Property("enabled", "isEnabled", type="str"),
        Property("name", "displayname"),
        Property("description", "description"),
    )
    wrong = PropertyTable(
        "x", "/policies/identitySecurityDefaultsEnforcementPolicy", rows, unmanaged={"description": ""}
    )
    assert sorted(differences(contract.tables["v1.0"], wrong)) == [
        "Microsoft has no displayname",
        "deletedDateTime is neither managed nor said to be unmanaged",
        "description is managed and said to be unmanaged",
        "displayName is neither managed nor said to be unmanaged",
        "id is neither managed nor said to be unmanaged",
        "isEnabled is str , Microsoft's is boolean",
    ]


def test_choices_are_the_members(contract: Contract) -> None:
    states = "microsoft.graph.conditionalAccessPolicyState"
    table = contract.tables["v1.0"]
    right = ("enabled", "disabled", "enabledForReportingButNotEnforced")
    assert list(_differences_of_type(table, Property("state", "state", choices=right), states)) == []
    assert len(list(_differences_of_type(table, Property("state", "state", choices=right[:2]), states))) == 1


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.methods[0]} {row.path}")
def test_permissions_are_of_paths_that_there_are(contract: Contract, row: PermissionRow) -> None:
    for version in row.versions:
        table = contract.tables[version]
        template = table.template(row.path)
        assert template == row.path, version
        assert any(method in table.paths[template] for method in row.methods), version


def fake_exchange(path: str, answer: Any) -> Exchange:
    context = {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x"}
    body = {**context, "value": answer} if isinstance(answer, list) else {**context, **answer}
    expanded = "$expand=principal" if path == tenant_answers.ASSIGNMENTS else ""
    return Exchange(1, None, None, "v1.0", "GET", path, expanded, None, 200, body)


@pytest.mark.parametrize(
    ("path", "answer"), [*tenant_answers.answers().items(), ("/users", [tenant_answers.user(1, displayName="Ann")])]
)
def test_the_answers_of_the_fake_in_unit_tests(contract: Contract, path: str, answer: Any) -> None:
    for configuration in answer.get("authenticationMethodConfigurations", ()) if isinstance(answer, dict) else ():
        # The fake has only what the collection looks at, which the type is not.
        configuration["@odata.type"] = "#microsoft.graph.microsoftAuthenticatorAuthenticationMethodConfiguration"
    assert contract.check(fake_exchange(path, answer)) == []
