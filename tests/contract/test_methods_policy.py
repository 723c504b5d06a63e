# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the authentication methods policy, against Microsoft's schema: every method, every property."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import Property
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.method_defaults import DEFAULTS
from ansible_collections.zerotrust.m365.plugins.module_utils._policy.method_dependence import EXTERNAL_TYPE
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.authentication_methods_policy import (
    SETTINGS,
    Settings,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.authentication_methods_policy import (
    UNMANAGED as UNMANAGED_OF_POLICY,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.method_tables import (
    ALL_METHODS,
    EXTERNAL,
    PASSKEY_PROFILE,
    UNMANAGED,
    Method,
)
from ansible_collections.zerotrust.m365.tests.contract.checking import Contract
from ansible_collections.zerotrust.m365.tests.contract.tables import Table

UNDOCUMENTED = "unknownFutureValue"
"""A member of Microsoft's enumerations that is never sent."""
ANSIBLE_TYPES = {"boolean": "bool", "integer": "int", "number": "float"}
TARGET = {"id": "names the group", "targetType": "a group"}
NOT_MANAGED_AT_ALL = {"microsoft.graph.verifiableCredentialsAuthenticationMethodConfiguration": "identity verification"}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract()


def properties_of(table: Table, kind: str) -> dict[str, Any]:
    return {name: of_type for name, (of_type, _declaring) in table.properties(kind).items()}


def differences(table: Table, kind: str, rows: Mapping[str, Property], unmanaged: Mapping[str, str]) -> Iterator[str]:
    """Between a table and Microsoft's type, in sentences. ``rows`` by Graph's name."""
    known = properties_of(table, kind)
    for name in known.keys() - rows.keys() - unmanaged.keys():
        yield f"{kind}: {name} is neither managed nor said to be unmanaged"
    for name in (rows.keys() | unmanaged.keys()) - known.keys():
        yield f"{kind}: Microsoft has no {name}"
    for name in rows.keys() & known.keys():
        yield from differences_of_type(table, f"{kind}.{name}", rows[name], known[name])


def differences_of_type(table: Table, where: str, row: Property, of_type: Any) -> Iterator[str]:
    single = of_type[0] if isinstance(of_type, list) else of_type
    enum = table.enums.get(single, {})
    scalar = "dict" if single in table.types else ANSIBLE_TYPES.get(single, "str")
    is_list = isinstance(of_type, list) or bool(enum.get("flags"))
    if (row.type, row.elements, row.flags) != (
        "list" if is_list else scalar,
        scalar if is_list else "",
        bool(enum.get("flags")),
    ):
        yield f"{where} is {row.type} {row.elements}, Microsoft's is {of_type}"
    if enum and not set(row.choices) <= set(enum["members"]) - {UNDOCUMENTED}:
        yield f"{where} has the choices {row.choices}, Microsoft's has {enum['members']}"
    if single in table.types:
        rows = {below.graph: below for below in row.rows}
        yield from differences(table, single, rows, dict.fromkeys(row.not_sent, "not taken back"))


def only(table: Table, rows: tuple[Property, ...], only_in: Mapping[str, str], path: str = "") -> dict[str, Property]:
    """The rows that a version has, at every depth, by Graph's name."""
    found = {}
    for row in rows:
        here = f"{path}{row.option}"
        if only_in.get(here, table.version) != table.version:
            continue
        below = only(table, row.rows, only_in, f"{here}.")
        changes: dict[str, Any] = {"rows": tuple(below.values())}
        found[row.graph] = Property(**{**vars(row), **changes})
    return found


@pytest.mark.parametrize("version", ["v1.0", "beta"])
@pytest.mark.parametrize("method", ALL_METHODS, ids=lambda method: method.kind)
def test_every_property_of_every_method(contract: Contract, method: Method, version: str) -> None:
    table = contract.tables[version]
    kind = method.type_name.removeprefix("#")
    if version not in method.versions:
        assert kind not in table.types
        return
    rows = only(table, method.rows, method.only_in)
    if version == "v1.0":  # beta alone shows it
        rows = {name: without_what_beta_refuses(row) for name, row in rows.items()}
    assert list(differences(table, kind, rows, {**UNMANAGED, **method.unmanaged})) == []
    targets = properties_of(table, kind)["includeTargets"][0]
    assert list(differences(table, targets, {row.graph: row for row in method.target_rows}, TARGET)) == []
    assert set(method.new_target) <= set(properties_of(table, targets))


def without_what_beta_refuses(row: Property) -> Property:
    return Property(**{**vars(row), "not_sent": ()})


@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_every_method(contract: Contract, version: str) -> None:
    table = contract.tables[version]
    known = set(table.types["microsoft.graph.authenticationMethodConfiguration"]["derived"])
    mine = {method.type_name.removeprefix("#") for method in ALL_METHODS if version in method.versions}
    assert known - mine == set(NOT_MANAGED_AT_ALL)
    assert mine <= known
    assert set(DEFAULTS) == {method.id for method in ALL_METHODS if method is not EXTERNAL}
    assert EXTERNAL.type_name == EXTERNAL_TYPE


@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_passkey_profiles(contract: Contract, version: str) -> None:
    rows = {row.graph: row for row in PASSKEY_PROFILE}
    assert list(differences(contract.tables[version], "microsoft.graph.passkeyProfile", rows, {})) == []


def test_every_setting_of_the_policy(contract: Contract) -> None:
    for version, table in contract.tables.items():
        known = set(properties_of(table, "microsoft.graph.authenticationMethodsPolicy"))
        mine = {settings.path[0] for settings in SETTINGS if settings.version in ("v1.0", version)}
        mine.add("policyMigrationState")
        assert known - mine <= set(UNMANAGED_OF_POLICY), version
        assert mine <= known, version
    assert set(UNMANAGED_OF_POLICY) <= set(
        properties_of(contract.tables["beta"], "microsoft.graph.authenticationMethodsPolicy")
    )


def settings_by_version() -> Iterator[Any]:
    for settings in SETTINGS:
        for version in ["beta"] if settings.version == "beta" else ["v1.0", "beta"]:
            yield pytest.param(settings, version, id=f"{settings.option}-{version}")


@pytest.mark.parametrize(("settings", "version"), list(settings_by_version()))
def test_every_property_of_every_setting(contract: Contract, settings: Settings, version: str) -> None:
    table = contract.tables[version]
    kind: Any = "microsoft.graph.authenticationMethodsPolicy"
    for name in settings.path:
        kind = properties_of(table, kind)[name]
    later = settings.only_in_beta if version == "v1.0" else ()
    rows = {row.graph: row for row in settings.rows if row.option not in later}
    targets = {"includeTargets": "edited", "excludeTargets": "edited"} if settings.targets else {}
    assert list(differences(table, kind, rows, targets)) == []
    if settings.targets:
        included = properties_of(table, kind)["includeTargets"][0]
        assert list(differences(table, included, {row.graph: row for row in settings.include_rows}, TARGET)) == []


def test_a_difference_is_found(contract: Contract) -> None:
    rows = {
        "state": Property("state", "state", choices=("on",)),
        "isOfficePhoneAllowed": Property("is_office_phone_allowed", "isOfficePhoneAllowed"),
        "nothing": Property("nothing", "nothing"),
    }
    kind = "microsoft.graph.voiceAuthenticationMethodConfiguration"
    found = list(differences(contract.tables["beta"], kind, rows, {"id": "", "includeTargets": ""}))
    assert sorted(found) == [
        f"{kind}.isOfficePhoneAllowed is str , Microsoft's is boolean",
        f"{kind}.state has the choices ('on',), Microsoft's has ['enabled', 'disabled']",
        f"{kind}: Microsoft has no nothing",
        f"{kind}: callerIdNumber is neither managed nor said to be unmanaged",
        f"{kind}: excludeTargets is neither managed nor said to be unmanaged",
    ]
