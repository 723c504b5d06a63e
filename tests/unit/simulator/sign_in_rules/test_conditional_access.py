# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft's pages on Conditional Access: who, what, where, how; and what is granted."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.zerotrust.m365.tests.unit.simulator.sign_in_rules.scene import FEDERATED, STRENGTH, Scene
from m365_simulator.directory_roles import BUILT_IN_ROLES, GLOBAL_ADMINISTRATOR
from m365_simulator.sign_in_rules.applications import AZURE_MANAGEMENT, AZURE_PORTAL, EXCHANGE_ONLINE, TEAMS
from m365_simulator.sign_in_rules.conditional_access import MFA_TRUSTED_IPS

PUSH, PHONE, KEY = "microsoftAuthenticatorPush", "mobilePhone", "fido2SecurityKey"
ASKED, NOT_ASKED, UNKNOWN = ("yes_after_mfa", "always"), ("yes", "never"), ("unknown", "unknown")


@pytest.mark.parametrize("state", ["disabled", "enabledForReportingButNotEnforced"])
def test_only_enabled_policies_count(scene: Scene, state: str) -> None:
    policy = scene.policy("mfa", state=state)
    user = scene.user(PUSH)
    assert scene.ask(user) == NOT_ASKED
    scene.change_policy(policy, state="enabled")
    assert scene.ask(user) == ASKED


def test_all_users_include_guests(scene: Scene) -> None:
    scene.policy("mfa")
    assert scene.ask(scene.user(PUSH, kind="Guest", invited=True)) == ASKED


def test_no_users(scene: Scene) -> None:
    scene.policy("mfa", users={"includeUsers": ["None"]})
    assert scene.ask(scene.user(PUSH)) == NOT_ASKED


def test_users_by_id_whatever_the_case(scene: Scene) -> None:
    user, other = scene.user(PUSH), scene.user(PUSH)
    scene.policy("mfa", users={"includeUsers": [user.upper()]})
    assert (scene.ask(user), scene.ask(other)) == (ASKED, NOT_ASKED)


def test_exclusion_wins(scene: Scene) -> None:
    user = scene.user(PUSH)
    scene.policy("mfa", users={"includeUsers": ["All", user], "excludeUsers": [user]})
    assert scene.ask(user) == NOT_ASKED


def test_groups_reach_through_groups(scene: Scene) -> None:
    user, other = scene.user(PUSH), scene.user(PUSH)
    inner = scene.group(user)
    outer = scene.group(inner)
    scene.store.link(inner, outer)  # a circle ends
    scene.policy("mfa", users={"includeGroups": [outer]})
    assert (scene.ask(user), scene.ask(other)) == (ASKED, NOT_ASKED)
    scene.policy("block", users={"includeUsers": ["All"], "excludeGroups": [outer]})
    assert (scene.ask(user)[0], scene.ask(other)[0]) == ("yes_after_mfa", "no")


def test_roles_over_the_whole_tenant(scene: Scene) -> None:
    """Microsoft's page: a role over an administrative unit does not count, one by a role-assignable group does."""
    whole = scene.administrator(PUSH)
    part = scene.user(PUSH, roles=("Global Administrator",), scope="/administrativeUnits/1")
    by_group = scene.user(PUSH)
    scene.assign("Global Administrator", scene.group(by_group))
    scene.policy("mfa", users={"includeRoles": [GLOBAL_ADMINISTRATOR]})
    assert [scene.ask(user) for user in (whole, part, by_group)] == [ASKED, NOT_ASKED, ASKED]


def test_excluded_roles(scene: Scene) -> None:
    user = scene.user(PUSH, roles=("Global Reader",))
    scene.policy("mfa", users={"includeUsers": ["All"], "excludeRoles": [BUILT_IN_ROLES["Global Reader"][0]]})
    assert scene.ask(user) == NOT_ASKED


GUESTS: dict[str, Any] = {
    "internalGuest": {"kind": "Guest"},
    "b2bCollaborationGuest": {"kind": "Guest", "invited": True},
    "b2bCollaborationMember": {"invited": True},
}


@pytest.mark.parametrize("named", GUESTS)
def test_kinds_of_guests(scene: Scene, named: str) -> None:
    scene.policy(
        "mfa", users={"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": f"serviceProvider,{named}"}}
    )
    found = {kind: scene.ask(scene.user(PUSH, **options)) for kind, options in GUESTS.items()}
    assert found == {kind: ASKED if kind == named else NOT_ASKED for kind in GUESTS}
    assert scene.ask(scene.user(PUSH)) == NOT_ASKED


def test_guests_of_some_tenants_may_be_meant(scene: Scene) -> None:
    some = {
        "guestOrExternalUserTypes": "b2bCollaborationGuest",
        "externalTenants": {"membershipKind": "enumerated", "members": ["11111111-1111-4111-8111-111111111111"]},
    }
    scene.policy("mfa", users={"includeGuestsOrExternalUsers": some})
    answer = scene.judge(scene.user(PUSH, kind="Guest", invited=True))
    assert (answer.sign_in, answer.mfa) == UNKNOWN
    assert answer.reasons == (
        'Not certain, for lack of the user: The Conditional Access policy "Policy 1" demands mfa.',
    )


def test_the_older_name_for_guests(scene: Scene) -> None:
    scene.policy("mfa", users={"includeUsers": ["GuestsOrExternalUsers"]})
    assert scene.ask(scene.user(PUSH, kind="Guest", invited=True)) == ASKED
    assert scene.ask(scene.user(PUSH)) == NOT_ASKED


def test_policies_for_workload_identities_are_not_for_people(scene: Scene) -> None:
    scene.policy("block", clientApplications={"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]})
    assert scene.ask(scene.user()) == NOT_ASKED


@pytest.mark.parametrize(
    ("included", "excluded", "application", "expected"),
    [
        (["All"], [], "an application", ASKED),
        (["None"], [], "Office365", NOT_ASKED),
        (["Office365"], [], "Office365", ASKED),
        (["Office365"], [], EXCHANGE_ONLINE, ASKED),
        (["Office365"], [], "an application", NOT_ASKED),
        ([EXCHANGE_ONLINE], [], "Office365", UNKNOWN),
        ([EXCHANGE_ONLINE], [], TEAMS, NOT_ASKED),
        (["All"], ["Office365"], TEAMS, NOT_ASKED),
        (["All"], ["Office365"], "MicrosoftGraph", ASKED),
        (["All"], [EXCHANGE_ONLINE], "Office365", UNKNOWN),
        (["00000003-0000-0000-C000-000000000000"], [], "MicrosoftGraph", ASKED),
    ],
)
def test_applications(
    scene: Scene, included: list[str], excluded: list[str], application: str, expected: tuple[str, str]
) -> None:
    scene.policy("mfa", applications={"includeApplications": included, "excludeApplications": excluded})
    assert scene.ask(scene.user(PUSH), application) == expected


def test_a_policy_for_azure_management_reaches_its_portal(scene: Scene) -> None:
    scene.policy("block", applications={"includeApplications": [AZURE_MANAGEMENT]})
    user = scene.user(PUSH)
    assert scene.ask(user, AZURE_PORTAL)[0] == "no"
    assert scene.ask(user, "AzureManagement")[0] == "no"
    assert scene.ask(user, "MicrosoftAdminPortals") == ("unknown", "always")
    assert scene.ask(user, "MicrosoftGraph") == NOT_ASKED


def test_an_application_filter_leaves_it_open(scene: Scene) -> None:
    scene.policy("mfa", applications={"includeApplications": ["All"], "applicationFilter": {"mode": "include"}})
    assert scene.ask(scene.user(PUSH)) == UNKNOWN


def test_user_actions_and_authentication_contexts(scene: Scene) -> None:
    register = "urn:user:registersecurityinfo"
    scene.policy("block", applications={"includeUserActions": [register]})
    scene.policy("mfa", applications={"includeAuthenticationContextClassReferences": ["c1"]})
    user = scene.user(PUSH)
    assert scene.ask(user) == NOT_ASKED
    assert scene.ask(user, user_action=register)[0] == "no"
    assert scene.ask(user, authentication_context="c1") == ASKED
    assert scene.ask(user, authentication_context="c2") == NOT_ASKED


def test_client_applications(scene: Scene) -> None:
    scene.policy("mfa", clients=("browser",))
    user = scene.user(PUSH)
    assert scene.ask(user) == ASKED
    assert scene.ask(user, client_app="mobileAppsAndDesktopClients") == NOT_ASKED
    assert scene.ask(user, client_app="other") == NOT_ASKED


def test_legacy_protocols_cannot_do_mfa(scene: Scene) -> None:
    """Microsoft's page "Block legacy authentication": a policy for all clients that demands MFA blocks them."""
    scene.policy("mfa")
    assert scene.ask(scene.user(PUSH), client_app="other") == ("no", "always")


def test_places(scene: Scene) -> None:
    offices = scene.location("203.0.113.0/24", "2001:db8::/32", trusted=True)
    home = scene.location("198.51.100.0/24")
    scene.policy("mfa", locations={"includeLocations": ["All"], "excludeLocations": [offices]})
    user = scene.user(PUSH)
    assert scene.ask(user, ip_address="203.0.113.9") == NOT_ASKED
    assert scene.ask(user, ip_address="2001:db8::1") == NOT_ASKED
    assert scene.ask(user, ip_address="192.0.2.1") == ASKED
    assert scene.ask(user, outside_named_locations=True) == ASKED
    assert scene.ask(user) == UNKNOWN
    scene.policy("block", locations={"includeLocations": [home]})
    assert scene.ask(user, ip_address="198.51.100.1")[0] == "no"
    assert scene.ask(user, ip_address="192.0.2.1") == ASKED


@pytest.mark.parametrize("name", ["AllTrusted", MFA_TRUSTED_IPS])
def test_trusted_places_have_the_ranges_of_the_legacy_settings(scene: Scene, name: str) -> None:
    scene.service(trustedIps={"ipRanges": ["203.0.113.0/25"], "skipMfaForFederatedUsers": False})
    scene.location("198.51.100.0/24", trusted=True)
    scene.location("192.0.2.0/24")
    scene.policy("mfa", locations={"includeLocations": ["All"], "excludeLocations": [name]})
    user = scene.user(PUSH)
    assert scene.ask(user, ip_address="203.0.113.9") == NOT_ASKED
    assert scene.ask(user, ip_address="203.0.113.129") == ASKED
    assert scene.ask(user, ip_address="192.0.2.1") == ASKED
    assert scene.ask(user, ip_address="198.51.100.1") == (NOT_ASKED if name == "AllTrusted" else ASKED)


def test_countries(scene: Scene) -> None:
    scene.policy(
        "block", locations={"includeLocations": ["All"], "excludeLocations": [scene.location(countries=("NL", "DE"))]}
    )
    user = scene.user()
    assert scene.ask(user, country="nl") == NOT_ASKED
    assert scene.ask(user, country="FR")[0] == "no"
    assert scene.ask(user, ip_address="192.0.2.1") == ("unknown", "never")


def test_a_location_that_is_not_there_leaves_it_open(scene: Scene) -> None:
    scene.policy("mfa", locations={"includeLocations": ["00000000-0000-4000-8000-00000000dead"]})
    assert scene.ask(scene.user(PUSH)) == UNKNOWN


@pytest.mark.parametrize(
    ("platforms", "platform", "expected"),
    [
        ({"includePlatforms": ["all"]}, None, ASKED),
        ({"includePlatforms": ["iOS", "android"]}, "iOS", ASKED),
        ({"includePlatforms": ["iOS", "android"]}, "linux", NOT_ASKED),
        ({"includePlatforms": ["iOS", "android"]}, None, UNKNOWN),
        ({"includePlatforms": ["all"], "excludePlatforms": ["macOS"]}, "macOS", NOT_ASKED),
        ({"includePlatforms": ["all"], "excludePlatforms": ["macOS"]}, "unknown", ASKED),
    ],
)
def test_platforms(scene: Scene, platforms: Any, platform: str | None, expected: tuple[str, str]) -> None:
    scene.policy("mfa", platforms=platforms)
    assert scene.ask(scene.user(PUSH), platform=platform) == expected


@pytest.mark.parametrize(("mode", "matching"), [("include", ASKED), ("exclude", NOT_ASKED)])
def test_device_filters(scene: Scene, mode: str, matching: tuple[str, str]) -> None:
    scene.policy("mfa", devices={"deviceFilter": {"mode": mode, "rule": 'device.model -eq "X"'}})
    user = scene.user(PUSH)
    assert scene.ask(user, device_filter_matches=True) == matching
    assert {scene.ask(user, device_filter_matches=value) for value in (True, False)} == {ASKED, NOT_ASKED}
    assert scene.ask(user) == UNKNOWN


@pytest.mark.parametrize("name", ["signInRiskLevels", "userRiskLevels"])
def test_risk(scene: Scene, name: str) -> None:
    levels: dict[str, Any] = {name: ["medium", "high"]}
    scene.policy("mfa", **levels)
    user, said = scene.user(PUSH), {"signInRiskLevels": "sign_in_risk", "userRiskLevels": "user_risk"}[name]
    assert scene.ask(user, **{said: "high"}) == ASKED
    assert scene.ask(user, **{said: "low"}) == NOT_ASKED
    assert scene.ask(user) == UNKNOWN


def test_insider_risk_and_device_states_leave_it_open(scene: Scene) -> None:
    user = scene.user(PUSH)
    policy = scene.policy("mfa", insiderRiskLevels="elevated")
    assert scene.ask(user) == UNKNOWN
    scene.change_policy(policy, state="disabled")
    scene.policy("mfa", deviceStates={"includeStates": ["All"]})
    assert scene.ask(user) == UNKNOWN


def test_flows(scene: Scene) -> None:
    scene.policy("block", authenticationFlows={"transferMethods": "authenticationTransfer,deviceCodeFlow"})
    user = scene.user()
    assert scene.ask(user) == NOT_ASKED
    assert scene.ask(user, flow="deviceCode")[0] == "no"
    assert scene.ask(user, flow="authenticationTransfer")[0] == "no"


def test_block_wins_over_grant(scene: Scene) -> None:
    scene.policy("mfa")
    scene.policy("block")
    assert scene.ask(scene.user(PUSH)) == ("no", "always")


def test_one_control_is_enough(scene: Scene) -> None:
    scene.policy("mfa", "compliantDevice")
    user = scene.user(PUSH)
    assert scene.ask(user, device_compliant=True) == NOT_ASKED
    assert scene.ask(user, device_compliant=False) == ASKED
    assert scene.ask(user) == UNKNOWN


def test_all_controls_are_wanted(scene: Scene) -> None:
    scene.policy("mfa", "compliantDevice", operator="AND")
    user = scene.user(PUSH)
    assert scene.ask(user, device_compliant=True) == ASKED
    assert scene.ask(user, device_compliant=False) == ("no", "always")
    assert scene.ask(user) == ("unknown", "always")


@pytest.mark.parametrize(
    ("control", "fact"),
    [
        ("compliantDevice", "device_compliant"),
        ("domainJoinedDevice", "device_hybrid_joined"),
        ("approvedApplication", "approved_application"),
        ("compliantApplication", "compliant_application"),
    ],
)
def test_devices_and_programs(scene: Scene, control: str, fact: str) -> None:
    scene.policy(control)
    user, met, unmet = scene.user(), {fact: True}, {fact: False}
    assert scene.ask(user, "Office365", **met) == NOT_ASKED
    assert scene.ask(user, "Office365", **unmet) == ("no", "never")
    assert scene.ask(user) == ("unknown", "never")
    assert scene.ask(user, "Office365", **met, client_app="other")[0] == "no"


def test_active_sync_tells_of_a_compliant_device(scene: Scene) -> None:
    scene.assume("basic_authentication", "all")
    scene.policy("compliantDevice")
    user = scene.user()
    assert scene.ask(user, client_app="exchangeActiveSync", device_compliant=True) == NOT_ASKED
    assert scene.ask(user, client_app="exchangeActiveSync", device_compliant=False) == ("no", "never")


def test_terms_of_use_are_accepted_on_a_page(scene: Scene) -> None:
    scene.policy(terms=("00000000-0000-4000-8000-0000000000aa",))
    user = scene.user()
    assert scene.ask(user) == NOT_ASKED
    assert scene.ask(user, client_app="other")[0] == "no"


def test_a_new_password_needs_mfa(scene: Scene) -> None:
    scene.policy("passwordChange", userRiskLevels=["high"])
    assert scene.ask(scene.user(PUSH), user_risk="high") == ASKED
    assert scene.ask(scene.user(), user_risk="high") == ("no", "always")


def test_session_controls_alone_demand_nothing(scene: Scene) -> None:
    scene.policy(session={"signInFrequency": {"isEnabled": True, "type": "hours", "value": 4}})
    assert scene.ask(scene.user(PUSH)) == NOT_ASKED


def test_several_policies_all_apply(scene: Scene) -> None:
    scene.policy("mfa")
    scene.policy("compliantDevice")
    user = scene.user(PUSH)
    assert scene.ask(user, device_compliant=True) == ASKED
    assert scene.ask(user, device_compliant=False)[0] == "no"


@pytest.mark.parametrize(
    ("method", "met"),
    [
        ("mobilePhone", "2"),
        ("softwareOneTimePasscode", "2"),
        ("microsoftAuthenticatorPush", "2"),
        ("microsoftAuthenticatorPasswordless", "23"),
        ("temporaryAccessPass", "2"),
        ("fido2SecurityKey", "234"),
        ("passKeySynced", "234"),
        ("windowsHelloForBusiness", "234"),
        ("x509CertificateMultiFactor", "234"),
        ("externalAuthMethod", ""),
    ],
)
@pytest.mark.parametrize("number", ["2", "3", "4"])
def test_built_in_authentication_strengths(scene: Scene, method: str, met: str, number: str) -> None:
    """Microsoft's page "Authentication strengths", the table of combinations."""
    scene.enable("Sms", "SoftwareOath", "Fido2", "TemporaryAccessPass", "X509Certificate")
    certificate = {"x509CertificateAuthenticationDefaultMode": "x509CertificateMultiFactor", "rules": []}
    scene.method("X509Certificate", authenticationModeConfiguration=certificate)
    scene.method("MicrosoftAuthenticator", state="enabled")
    external = {
        "@odata.type": "#microsoft.graph.externalAuthenticationMethodConfiguration",
        "state": "enabled",
        "includeTargets": [{"targetType": "group", "id": "all_users"}],
    }
    scene.store.insert("methodConfiguration", "00000000-0000-4000-8000-00000000ee00", external)
    scene.policy(strength=f"{STRENGTH}{number}")
    expected = "yes_after_mfa" if number in met else "yes_after_registration" if number == "2" else "no"
    assert scene.ask(scene.user(method)) == (expected, "always")


def test_a_custom_strength_leaves_it_open(scene: Scene) -> None:
    custom = scene.policy(strength="11111111-1111-4111-8111-111111111111")
    user = scene.user(PUSH)
    assert scene.ask(user) == ("unknown", "always")
    strength = {"id": "11111111-1111-4111-8111-111111111111", "allowedCombinations": ["password,softwareOath"]}
    scene.change_policy(custom, grantControls={"operator": "OR", "authenticationStrength": strength})
    scene.enable("SoftwareOath")
    assert scene.ask(scene.user("softwareOneTimePasscode")) == ASKED


def test_registration_can_be_kept_from_who_needs_it(scene: Scene) -> None:
    """Microsoft's page "Securing security info registration": a Temporary Access Pass gets them through."""
    scene.policy("mfa")
    user = scene.user()
    assert scene.ask(user) == ("yes_after_registration", "always")
    scene.policy("mfa", applications={"includeUserActions": ["urn:user:registersecurityinfo"]})
    assert scene.ask(user) == ("no", "always")
    assert scene.protects(user) == ("always", "no")
    scene.enable("TemporaryAccessPass")
    assert scene.ask(scene.user("temporaryAccessPass")) == ASKED


def test_remembered_devices_are_not_asked_unless_a_frequency_says_so(scene: Scene) -> None:
    scene.service(rememberMfaOnTrustedDevice={"isEnabled": True, "allowedNumberOfDays": 14})
    plain = scene.policy("mfa")
    user = scene.user(PUSH)
    assert scene.ask(user, remembered=True) == NOT_ASKED
    assert scene.ask(user, remembered=False) == ASKED
    scene.change_policy(plain, sessionControls={"signInFrequency": {"isEnabled": True, "type": "days", "value": 1}})
    assert scene.ask(user, remembered=True) == ASKED


def test_mfa_at_a_federated_identity_provider(scene: Scene) -> None:
    """Microsoft's page on federatedIdpMfaBehavior."""
    scene.policy("mfa")
    bare, registered = scene.user(domain=FEDERATED), scene.user(PUSH, domain=FEDERATED)
    done, password = ("password", "federatedMfa"), ("password",)
    for behaviour in (None, "acceptIfMfaDoneByFederatedIdp"):
        scene.federation(behaviour)
        assert scene.ask(bare, methods=done) == ASKED
        assert scene.ask(bare) == ("unknown", "always")
        assert scene.protects(bare) == ("always", "yes")
        assert scene.ask(registered) == ASKED
    scene.federation("enforceMfaByFederatedIdp")
    assert scene.ask(bare, methods=done) == ASKED
    assert scene.ask(registered, methods=("password", PUSH)) == ("no", "always")
    assert scene.ask(bare) == ("unknown", "always")
    assert scene.protects(bare) == ("always", "unknown")
    scene.federation("rejectMfaByFederatedIdp")
    assert scene.ask(bare, methods=done) == ("yes_after_registration", "always")
    assert scene.ask(bare, methods=password) == ("yes_after_registration", "always")
    assert scene.ask(registered, methods=done) == ("no", "always")
