# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

"""The table of permissions."""

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._graph.permissions import (
    TABLE,
    missing_names,
    needs_of,
)

DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"


@pytest.mark.parametrize(
    ("method", "path", "roles", "enough"),
    [
        ("GET", DEFAULTS, ["Policy.Read.All"], True),
        ("GET", DEFAULTS, ["Directory.Read.All"], False),
        ("PATCH", DEFAULTS, ["Policy.Read.All", "Policy.ReadWrite.SecurityDefaults"], True),
        ("PATCH", DEFAULTS, ["Policy.Read.All", "Policy.ReadWrite.ConditionalAccess"], True),
        ("PATCH", DEFAULTS, ["Policy.ReadWrite.SecurityDefaults"], False),
        ("PATCH", DEFAULTS, ["Policy.Read.All"], False),
        ("PATCH", "/policies/authenticationMethodsPolicy", ["Policy.ReadWrite.AuthenticationMethod"], True),
        ("GET", "/policies/authenticationMethodsPolicy", ["Policy.ReadWrite.AuthenticationMethod"], True),
        ("GET", "/identity/conditionalAccess/policies", ["Policy.Read.All"], True),
        ("POST", "/identity/conditionalAccess/policies", ["Policy.ReadWrite.ConditionalAccess"], False),
        (
            "PATCH",
            "/identity/conditionalAccess/policies/1",
            ["Policy.ReadWrite.ConditionalAccess", "Policy.Read.All"],
            True,
        ),
        ("GET", "/users", ["Directory.Read.All"], True),
        ("GET", "/users?$select=id", ["User.Read.All"], True),
        ("GET", "/users/$count", ["User.Read.All"], True),
        ("GET", "/users('ann@contoso.com')", ["User.Read.All"], True),
        ("GET", "/domains/contoso.com/federationConfiguration", ["Domain.Read.All"], True),
        ("GET", "/domains/contoso.com/federationConfiguration", ["Domain-InternalFederation.Read.All"], True),
        ("GET", "/Organization", ["Organization.Read.All"], True),
        ("GET", "/subscribedSkus", ["LicenseAssignment.Read.All"], True),
        ("GET", "/roleManagement/directory/roleAssignments", ["RoleManagement.Read.Directory"], True),
        ("POST", "/roleManagement/directory/roleAssignments", ["RoleManagement.Read.Directory"], False),
        ("GET", "/groups/1/members", ["GroupMember.Read.All"], True),
        ("GET", "/auditLogs/signIns", ["AuditLog.Read.All"], True),
        ("GET", "/reports/authenticationMethods/userRegistrationDetails", ["AuditLog.Read.All"], True),
        ("GET", "/users/1/authentication/fido2Methods", ["UserAuthMethod-Passkey.Read.All"], True),
        ("GET", "/users/1/authentication/fido2Methods/creationOptions", ["UserAuthMethod-Passkey.Read.All"], False),
        ("POST", "/users/1/authentication/fido2Methods", ["UserAuthMethod-Passkey.ReadWrite.All"], True),
        ("DELETE", "/users/1/authentication/fido2Methods/2", ["UserAuthenticationMethod.Read.All"], False),
    ],
)
def test_what_is_enough(method: str, path: str, roles: list[str], enough: bool) -> None:
    need = needs_of(method, "v1.0", path)
    assert need is not None
    assert (not need.missing(roles)) is enough
    assert (not missing_names([need], roles)) is enough


def test_per_user_mfa_is_beta_only() -> None:
    path = "/users/ann%40contoso.com/authentication/requirements"
    need = needs_of("PATCH", "beta", path)
    assert need is not None
    assert not need.missing(["Policy.ReadWrite.AuthenticationMethod"])
    assert needs_of("PATCH", "v1.0", path) is None


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/me"), ("DELETE", "/users"), ("GET", "/users/1/manager"), ("GET", "")]
)
def test_what_the_table_does_not_know(method: str, path: str) -> None:
    assert needs_of(method, "v1.0", path) is None


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.methods[0]} {row.path}")
def test_each_row_is_found_and_names_the_least_first(row: object) -> None:
    assert isinstance(row, type(TABLE[0]))
    for method in row.methods:
        need = needs_of(method, row.versions[-1], row.path.replace("{}", "an-id"))
        assert need is not None
        assert need.what == row.what
        words = missing_names([need], [])[row.what]
        assert [word.partition(" ")[0] for word in words] == [names[0] for names in row.all_of]


def test_no_two_rows_say_the_same() -> None:
    keys = [(method, version, row.path.lower()) for row in TABLE for method in row.methods for version in row.versions]
    assert len(keys) == len(set(keys))
