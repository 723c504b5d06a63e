# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Methods of the authentication methods policy, in a simulated tenant."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.zerotrust.m365.plugins.module_utils._engine.plan import Plan
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.properties import StateUnknown
from ansible_collections.zerotrust.m365.plugins.module_utils._engine.run import Run
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.client import GraphClient
from ansible_collections.zerotrust.m365.plugins.module_utils._graph.errors import (
    MissingPermissions,
    OptionError,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._resources import method_dependence
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.authentication_method import (
    PHONE_ENDS,
    RESOURCE,
    SIGN_IN_BY_PHONE,
)
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.methods_policy import Unsupported
from ansible_collections.zerotrust.m365.tests.unit._engine.fakes import FakeGraph
from ansible_collections.zerotrust.m365.tests.unit._resources.conftest import OpenSimulation
from ansible_collections.zerotrust.m365.tests.unit._resources.hardware_tokens import leave_only_a_token
from ansible_collections.zerotrust.m365.tests.unit._resources.registration_report import leave_out_of_report
from ansible_collections.zerotrust.m365.tests.unit._resources.simulated_graph import Task
from ansible_collections.zerotrust.m365.tests.unit.simulator.conftest import URL, Client
from m365_simulator.graph import authentication_methods, user_methods
from m365_simulator.method_defaults import default_configurations

POLICY = "/v1.0/policies/authenticationMethodsPolicy"
CONFIGURATIONS = f"{POLICY}/authenticationMethodConfigurations"
EMERGENCY = "Excluded from Conditional Access"
MODEL = "de1e552d-db1d-4423-a619-566b625cdc84"
OTHER_MODEL = "90a3ccdf-635c-4729-a248-9b709135078f"
ONE_BY_ONE = (
    "Policy.Read.All",
    "Policy.ReadWrite.AuthenticationMethod",
    "GroupMember.Read.All",
    "User.Read.All",
    "UserAuthenticationMethod.Read.All",
)
REQUEST = re.compile(r" \(request-id \S+\)")


class Method:
    """Runs the resource as a task would: always dry first, and a second time after."""

    def __init__(self, simulated: Client) -> None:
        self.simulated = simulated
        self.task = Task(RESOURCE, simulated)

    def done(self, id: str, **options: Any) -> dict[str, Any]:
        """What a run says that a dry run predicted, and that leaves nothing to do."""
        planned = self.task.run(check_mode=True, id=id, **options)
        assert self.task.wrote == []
        result = self.task.run(id=id, **options)
        wrote = self.task.wrote
        assert result["diff"] == planned["diff"]
        assert result["authentication_method"] == planned["authentication_method"]
        again = self.task.run(id=id, **options)
        assert not again["changed"], again["diff"]
        assert self.task.wrote == []
        assert again["authentication_method"] == result["authentication_method"]
        self.task.wrote = wrote
        return result

    def shown(self, id: str, **options: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.done(id, **options)["authentication_method"]
        return found

    def refused(self, id: str, **options: Any) -> str:
        """What a dry run and a run refuse with the same words, without a write."""
        messages = []
        for check_mode in (True, False):
            with pytest.raises((OptionError, MissingPermissions, Unsupported)) as caught:
                self.task.run(check_mode=check_mode, id=id, **options)
            assert self.task.wrote == []
            messages.append(REQUEST.sub("", caught.value.message))
        assert messages[0] == messages[1]
        return messages[0]

    def read(self, id: str, version: str = "v1.0") -> dict[str, Any]:
        found: dict[str, Any] = self.simulated.get(CONFIGURATIONS.replace("v1.0", version) + f"/{id}").body
        return found

    def write(self, id: str, version: str = "v1.0", **properties: Any) -> None:
        body = {"@odata.type": self.read(id, version)["@odata.type"], **properties}
        answer = self.simulated.call("PATCH", CONFIGURATIONS.replace("v1.0", version) + f"/{id}", body)
        assert answer.status == 204, answer.content

    def group(self, name: str) -> str:
        return str(self.simulated.get(f"/v1.0/groups?$filter=displayName eq '{name}'").value[0]["id"])


def register_only(method: Method, name: str, *registered: str) -> None:
    store = method.simulated.simulation.store.tenant(0)
    (user,) = (one for one in store.documents("user") if one["userPrincipalName"].startswith(name))
    row = store.read("user", user["id"])
    assert row is not None
    store.update("user", user["id"], private={**row.private, "methodsRegistered": [*registered]})


Open = Callable[[str], Method]


@pytest.fixture
def open_tenant(open_simulation: OpenSimulation) -> Open:
    return lambda scenario: Method(Client(open_simulation(scenario), []))


@pytest.fixture
def business(open_tenant: Open) -> Method:
    return open_tenant("business")


@pytest.fixture
def greenfield(open_tenant: Open) -> Method:
    return open_tenant("greenfield")


@pytest.fixture
def legacy(open_tenant: Open) -> Method:
    return open_tenant("legacy")


# What is written


def test_the_bootstrap_of_emergency_accounts(greenfield: Method) -> None:
    group = greenfield.simulated.call(
        "POST",
        "/v1.0/groups",
        {"displayName": "Emergency access", "mailEnabled": False, "mailNickname": "e", "securityEnabled": True},
    ).body["id"]
    targets = {"set": [{"group": "emergency access"}]}
    passkeys = {"is_self_service_registration_allowed": True}
    result = greenfield.done("fido2", state="enabled", include_targets=targets, fido2=passkeys)
    assert result["msg"] == "The authentication method Fido2 was changed (state, include targets)."
    # One read of the group, one of the policy, one write, one look whether it is shown.
    assert greenfield.task.wrote == [("PATCH", f"{CONFIGURATIONS}/Fido2")]
    shown = result["authentication_method"]
    assert shown["id"] == "Fido2"
    assert [target["id"] for target in shown["include_targets"]] == [group]
    assert shown["include_targets"][0]["display_name"] == "Emergency access"
    greenfield.done(
        "TemporaryAccessPass",
        state="enabled",
        include_targets=targets,
        temporary_access_pass={"is_usable_once": True, "maximum_lifetime_in_minutes": 600},
    )
    stored = greenfield.read("TemporaryAccessPass")
    assert (stored["isUsableOnce"], stored["maximumLifetimeInMinutes"], stored["defaultLength"]) == (True, 600, 8)


def test_a_run_needs_three_requests_and_the_next_one_two(greenfield: Method) -> None:
    greenfield.task.run(id="QRCodePin", state="enabled")
    assert [method for method, _path in greenfield.task.sent] == ["GET", "PATCH", "GET"]
    greenfield.task.run(id="QRCodePin", state="enabled")
    assert greenfield.task.sent == [("GET", POLICY)]


def test_what_is_not_written_is_left_alone(business: Method) -> None:
    business.write("SoftwareOath", includeTargets=[{"id": "all_users", "targetType": "group"}], excludeTargets=[])
    before = business.read("SoftwareOath")
    group = business.group("Research")
    business.done(
        "SoftwareOath", exclude_targets={"add": ["Research"]}, accept_risks=["only_way_in", "unknown_ways_in"]
    )
    after = business.read("SoftwareOath")
    assert after["excludeTargets"] == [{"id": group, "targetType": "group"}]
    assert {**after, "excludeTargets": []} == before


def test_targets_are_added_removed_and_set(business: Method) -> None:
    accept = {"accept_risks": ["only_way_in", "unknown_ways_in"]}

    def included(**edit: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = business.shown("MicrosoftAuthenticator", include_targets=edit, **accept)[
            "include_targets"
        ]
        return found

    research, finance = business.group("Research"), business.group("Finance and HR")
    assert included(add=[{"group": "Research", "authentication_mode": "push"}])[1] == {
        "id": research,
        "target_type": "group",
        "display_name": "Research",
        "is_registration_required": False,
        "authentication_mode": "push",
    }
    # What is not written of a target keeps its value.
    found = included(set=[{"group": research.upper()}, {"group": "Finance and HR"}])
    assert {target["id"]: target["authentication_mode"] for target in found} == {research: "push", finance: "any"}
    assert [target["id"] for target in included(remove=["Finance and HR"])] == [research]
    assert included(set=[]) == []


def test_a_target_that_is_deleted_is_removed_by_its_id(business: Method) -> None:
    gone = "99999999-0000-4000-8000-000000000001"
    business.write("SoftwareOath", excludeTargets=[{"id": gone, "targetType": "group"}])
    assert business.shown("SoftwareOath", exclude_targets={"remove": [gone]})["exclude_targets"] == []


def test_passkey_profiles_and_models(business: Method) -> None:
    settings = {
        "passkey_profiles": {
            "add": [
                {"name": "Keys in a safe", "passkey_types": ["deviceBound"]},
                {"name": "Everybody", "passkey_types": ["synced", "deviceBound"]},
            ]
        },
        "key_restrictions": {"aa_guids": [MODEL.upper()]},
    }
    targets = {
        "set": [
            {"group": "all_users", "allowed_passkey_profiles": ["everybody"]},
            {"group": EMERGENCY, "allowed_passkey_profiles": ["Keys in a safe"]},
        ]
    }
    shown = business.shown("Fido2", fido2=settings, include_targets=targets, accept_risks=["unknown_ways_in"])
    ids = {profile["name"]: profile["id"] for profile in shown["fido2"]["passkey_profiles"]}
    assert [target["allowed_passkey_profiles"] for target in shown["include_targets"]] == [
        [ids["Everybody"]],
        [ids["Keys in a safe"]],
    ]
    assert shown["fido2"]["key_restrictions"] == {
        "is_enforced": False,
        "enforcement_type": "block",
        "aa_guids": [MODEL],
    }
    assert business.read("Fido2")["passkeyProfiles"][1]["passkeyTypes"] == "deviceBound,synced"
    strict = {"name": "Keys in a safe", "key_restrictions": {"is_enforced": True, "aa_guids": [MODEL]}}
    shown = business.shown("Fido2", fido2={"passkey_profiles": {"add": [strict]}}, accept_risks=["unknown_ways_in"])
    assert shown["fido2"]["passkey_profiles"][0] == {
        "id": ids["Keys in a safe"],
        "name": "Keys in a safe",
        "passkey_types": ["deviceBound"],
        "attestation_enforcement": "disabled",
        "key_restrictions": {"is_enforced": True, "enforcement_type": "allow", "aa_guids": [MODEL]},
    }
    assert "There is no passkey profile 'nobody'. Known are: everybody, keys in a safe." in business.refused(
        "Fido2", include_targets={"add": [{"group": EMERGENCY, "allowed_passkey_profiles": ["Nobody"]}]}
    )
    only = {"set": [{"group": "all_users", "allowed_passkey_profiles": [ids["Everybody"]]}]}
    profiles = {"passkey_profiles": {"remove": ["Keys in a safe"]}}
    shown = business.shown("Fido2", fido2=profiles, include_targets=only, accept_risks=["unknown_ways_in"])
    assert [profile["name"] for profile in shown["fido2"]["passkey_profiles"]] == ["Everybody"]


def test_no_target_loses_profiles_that_graph_does_not_show(business: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = {"passkey_profiles": {"add": [{"name": "Everybody"}]}}
    everybody = {"group": "all_users", "allowed_passkey_profiles": ["Everybody"]}
    business.shown("Fido2", fido2=profile, include_targets={"set": [everybody]}, accept_risks=["unknown_ways_in"])
    get = GraphClient.get

    def without_profiles(client: GraphClient, path: str, **keywords: Any) -> Any:
        answer = get(client, path, **keywords)
        for configuration in answer.get("authenticationMethodConfigurations", []):
            for target in configuration["includeTargets"]:
                target.pop("allowedPasskeyProfiles", None)
        return answer

    monkeypatch.setattr(GraphClient, "get", without_profiles)
    another = {"add": [{"group": EMERGENCY, "allowed_passkey_profiles": ["Everybody"]}]}
    with pytest.raises(StateUnknown, match=r"which passkey profiles the target all_users of the .* Fido2 is allowed"):
        business.task.run(id="Fido2", include_targets=another)
    assert business.task.wrote == []
    named = {"add": [everybody, *another["add"]]}
    assert business.task.run(check_mode=True, id="Fido2", include_targets=named)["changed"]


def test_features_of_authenticator_in_both_versions(business: Method) -> None:
    location = {"display_location_information_required_state": {"state": "enabled"}}
    business.done("MicrosoftAuthenticator", microsoft_authenticator={"feature_settings": location})
    assert {path.split("/")[1] for _method, path in business.task.wrote} == {"v1.0"}
    companion = {
        "companion_app_allowed_state": {"state": "disabled", "exclude_target": {"id": "Research"}},
        "display_app_information_required_state": {"state": "enabled"},
    }
    settings = {"feature_settings": companion, "is_software_oath_enabled": True}
    message = business.refused("MicrosoftAuthenticator", microsoft_authenticator=settings)
    assert "Authenticator Lite in Outlook" in message
    assert "add 'unknown_ways_in' to accept_risks" in message
    risks = ["unknown_ways_in"]
    result = business.done("MicrosoftAuthenticator", microsoft_authenticator=settings, accept_risks=risks)
    assert [path.split("/")[1] for _method, path in business.task.wrote] == ["v1.0", "beta"]
    assert [change["after_header"] for change in result["diff"]] == [
        "the authentication method MicrosoftAuthenticator",
        "the authentication method MicrosoftAuthenticator (beta)",
    ]
    features = business.read("MicrosoftAuthenticator", "beta")["featureSettings"]
    assert features["companionAppAllowedState"]["excludeTarget"]["id"] == business.group("Research")
    assert features["companionAppAllowedState"]["includeTarget"]["id"] == "all_users"
    assert features["displayLocationInformationRequiredState"]["state"] == "enabled"
    assert features["numberMatchingRequiredState"]["state"] == "enabled"


def test_certificates_in_both_versions(business: Method) -> None:
    bindings = [
        {"x509_certificate_field": "SubjectKeyIdentifier", "user_property": "certificateUserIds", "priority": 1}
    ]
    settings: dict[str, Any] = {
        "certificate_user_bindings": bindings,
        "authentication_mode_configuration": {
            "x509_certificate_authentication_default_mode": "x509CertificateMultiFactor",
            "rules": [
                {
                    "x509_certificate_rule_type": "policyOID",
                    "identifier": "1.2.3",
                    "x509_certificate_authentication_mode": "x509CertificateSingleFactor",
                }
            ],
        },
        "crl_validation_configuration": {"state": "enabled"},
        "issuer_hints_configuration": {"state": "enabled"},
    }
    shown = business.shown("X509Certificate", state="enabled", x509_certificate=settings)["x509_certificate"]
    modes = shown["authentication_mode_configuration"]
    assert modes["x509_certificate_default_required_affinity_level"] == "low"
    assert shown["crl_validation_configuration"]["state"] == "enabled"
    assert "Graph shows nobody's certificates" in business.refused("X509Certificate", state="disabled")
    business.done("X509Certificate", state="disabled", accept_risks=["unknown_ways_in"])


def test_the_other_settings(business: Method) -> None:
    voice = {"is_office_phone_allowed": True, "caller_id_number": "+31 20 1234567"}
    assert business.shown("Voice", voice=voice)["voice"] == voice
    email = {"allow_external_id_to_use_email_otp": "enabled"}
    assert business.shown("Email", email=email)["email"] == email
    pin = {"pin_length": 10, "standard_qr_code_lifetime_in_days": 30}
    assert business.shown("QRCodePin", qr_code_pin=pin)["qr_code_pin"] == pin
    assert business.shown("HardwareOath", state="enabled")["state"] == "enabled"
    assert {path.split("/")[1] for _method, path in business.task.sent} == {"beta"}


def test_the_default_is_brought_back(business: Method) -> None:
    assert (
        business.shown("TemporaryAccessPass", state="default", accept_risks=["unknown_ways_in"])["state"] == "disabled"
    )
    assert business.task.wrote == [("DELETE", f"{CONFIGURATIONS}/TemporaryAccessPass")]
    for id in (
        "Fido2",
        "MicrosoftAuthenticator",
        "Sms",
        "Voice",
        "Email",
        "SoftwareOath",
        "X509Certificate",
        "QRCodePin",
    ):
        business.done(id, state="default", accept_risks=["only_way_in", "unknown_ways_in"])
    business.done("HardwareOath", state="default")


def test_a_default_that_is_not_known_is_reset_in_every_run(business: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = default_configurations()
    changed["QRCodePin"]["pinLength"] = 12
    monkeypatch.setattr(authentication_methods, "default_configurations", lambda: changed)
    business.write("QRCodePin", pinLength=9)
    for before in (9, 12):
        result = business.task.run(id="QRCodePin", state="default", wait_timeout=1)
        assert business.task.wrote
        assert result["diff"][0]["before"]["qr_code_pin"]["pin_length"] == before
        assert result["authentication_method"]["qr_code_pin"]["pin_length"] == 12


PROVIDER: dict[str, Any] = {
    "app_id": "11111111-2222-3333-4444-55555555AAAA",
    "open_id_connect_setting": {"client_id": "here", "discovery_url": "https://login.example/.well-known/openid"},
}


def test_an_external_method_comes_and_goes(business: Method) -> None:
    targets = {"set": [{"group": "Research"}]}
    planned = business.task.run(
        check_mode=True, id="Signer", state="enabled", external=PROVIDER, include_targets=targets
    )
    assert business.task.wrote == []
    made = business.task.run(id="Signer", state="enabled", external=PROVIDER, include_targets=targets)
    assert business.task.wrote == [("POST", CONFIGURATIONS)]
    assert made["msg"] == "The authentication method Signer was created."
    assert made["diff"] == planned["diff"]
    assert made["authentication_method"] == planned["authentication_method"]
    assert made["authentication_method"]["external"]["app_id"].endswith("aaaa")
    assert not business.task.run(id="signer", state="enabled", external=PROVIDER, include_targets=targets)["changed"]

    other = {"open_id_connect_setting": {"discovery_url": "https://elsewhere.example/openid"}}
    message = business.refused("signer", external=other)
    assert "another provider or application" in message
    shown = business.shown("Signer", external=other, accept_risks=["unknown_ways_in"])["external"]
    assert shown["open_id_connect_setting"] == {"client_id": "here", **other["open_id_connect_setting"]}
    (stored,) = [one for one in business.simulated.get(CONFIGURATIONS).value if "displayName" in one]
    business.done(stored["id"], exclude_targets={"add": [EMERGENCY]})

    gone = business.shown("Signer", state="default")
    assert gone == {"id": "Signer", "exists": False, "state": None}
    assert business.task.wrote == [("DELETE", f"{CONFIGURATIONS}/{stored['id']}")]


# What is refused


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"id": "Sms"}, "Give 'state', targets or settings"),
        ({"id": "Sms", "fido2": {}}, "fido2 is not for the method Sms"),
        ({"id": "Fido3", "state": "enabled"}, "There is no authentication method 'Fido3'"),
        ({"id": "Signer", "external": {"app_id": "1"}}, "There is no authentication method 'Signer'"),
        (
            {"id": "Fido2", "state": "default", "include_targets": {"add": [{"group": "all_users"}]}},
            "does not go together with",
        ),
        (
            {"id": "Sms", "include_targets": {"add": [{"group": "all_users"}], "set": [{"group": "all_users"}]}},
            "'set' gives the whole list",
        ),
        (
            {"id": "Sms", "include_targets": {"add": [{"group": "all_users"}], "remove": ["all_users"]}},
            "both added and removed: all_users",
        ),
        (
            {"id": "Sms", "include_targets": {"add": [{"group": "all_users", "authentication_mode": "any"}]}},
            "a target of this method has no authentication_mode",
        ),
        ({"id": "Sms", "exclude_targets": {"add": ["Missing"]}}, "There is no group 'Missing' in this tenant"),
    ],
)
def test_nonsense(business: Method, options: dict[str, Any], words: str) -> None:
    assert words in business.refused(**options)


def test_a_policy_that_is_too_large_for_graph(business: Method) -> None:
    many = [f"00000000-0000-4000-8000-{number:012}" for number in range(600)]
    message = business.refused("Fido2", fido2={"key_restrictions": {"aa_guids": many}})
    assert "Graph saves at most 20480" in message


def test_a_cloud_without_the_policy(business: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = business.simulated.get("/v1.0/policies/nothing")
    send = business.simulated.send
    monkeypatch.setattr(
        business.simulated,
        "send",
        lambda method, path, **more: answer if path.startswith(POLICY) else send(method, path, **more),
    )
    business.task.cloud = type(business.task.cloud)("china", URL, URL)
    assert "unsupported in this cloud (china)" in business.refused("Fido2", state="enabled")


def test_missing_permissions_are_named_before_a_write(business: Method) -> None:
    business.simulated.grant("Policy.Read.All")
    with pytest.raises(MissingPermissions) as caught:
        business.task.run(id="QRCodePin", state="enabled")
    assert "Policy.ReadWrite.AuthenticationMethod" in caught.value.message
    assert business.task.wrote == []


# Who is locked out


def test_people_who_would_lose_their_only_way_in_are_named(business: Method) -> None:
    message = business.refused("SoftwareOath", state="disabled")
    assert "daan.mulder@contoso.example" in message
    assert "add 'only_way_in' to accept_risks" in message
    assert "The legacy MFA settings may still allow the method" in message
    business.done("SoftwareOath", state="disabled", accept_risks=["only_way_in"])


def test_nobody_is_named_who_keeps_a_way_in(business: Method) -> None:
    """Emma has a passkey besides, Karim has not."""
    message = business.refused("MicrosoftAuthenticator", exclude_targets={"add": ["Sensitive work"]})
    assert "emma.peeters" not in message
    finance = [{"group": "Finance and HR"}]
    message = business.refused("MicrosoftAuthenticator", include_targets={"set": finance})
    assert "karim.ali@contoso.example" in message
    assert "emma.peeters" not in message


def test_a_model_of_keys_that_is_blocked(business: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    invented = user_methods.invented_passkey
    monkeypatch.setattr(user_methods, "invented_passkey", lambda *about: {**invented(*about), "aaGuid": OTHER_MODEL})
    keys = {"is_enforced": True, "enforcement_type": "allow", "aa_guids": [MODEL]}
    message = business.refused("Fido2", fido2={"key_restrictions": keys})
    assert "emergency.one@contoso.onmicrosoft.com" in message
    assert "emma.peeters" not in message, "Authenticator is left"
    blocked = {"is_enforced": True, "enforcement_type": "block", "aa_guids": [OTHER_MODEL]}
    assert "emergency.one" in business.refused("Fido2", fido2={"key_restrictions": blocked})
    business.done("Fido2", fido2={"key_restrictions": {**keys, "aa_guids": [MODEL, OTHER_MODEL]}})


def test_a_model_that_graph_does_not_tell(business: Method) -> None:
    keys = {"is_enforced": True, "enforcement_type": "allow", "aa_guids": [MODEL]}
    message = business.refused("Fido2", fido2={"key_restrictions": keys})
    assert "add 'unknown_ways_in' to accept_risks" in message
    assert "emergency.one@contoso.onmicrosoft.com" in message
    business.done("Fido2", fido2={"key_restrictions": keys}, accept_risks=["unknown_ways_in"])


def test_without_a_licence_people_are_read_one_by_one(legacy: Method) -> None:
    legacy.done("Sms", state="disabled")
    message = legacy.refused("Voice", state="disabled")
    assert "pieter.smit@fabrikam.com" in message
    assert "ada.jansen" not in message, "Authenticator is left"
    group = [{"group": "Administrators"}]
    assert "pieter.smit" not in legacy.refused("Voice", include_targets={"set": group})
    office = {"is_office_phone_allowed": False}
    legacy.done("Voice", voice=office)


def test_without_the_permission_for_the_report_people_are_read_one_by_one(business: Method) -> None:
    """Though Graph refuses in words of its own."""
    business.simulated.grant(*ONE_BY_ONE)
    message = business.refused("SoftwareOath", state="disabled")
    assert "daan.mulder@contoso.example" in message
    assert "unknown_ways_in" not in message


def test_one_by_one_people_are_found_who_have_nothing_but_a_hardware_token(business: Method) -> None:
    business.write("HardwareOath", "beta", state="enabled")
    user = business.simulated.get("/v1.0/users/daan.mulder@contoso.example").body["id"]
    leave_only_a_token(business.simulated, user)
    business.simulated.grant(*ONE_BY_ONE)
    message = business.refused("HardwareOath", state="disabled", accept_risks=["unknown_ways_in"])
    assert "1 person loses the only way to sign in with more than a password: 'daan.mulder@contoso.example'" in message


LAGS = "Who loses the only way to sign in could not be read: The report of registered methods lags some hours and may "


def test_a_report_of_everybody_costs_one_list_of_users(business: Method) -> None:
    business.refused("SoftwareOath", state="disabled")
    assert [path.partition("?")[0] for _method, path in business.task.sent if "/users" in path] == ["/v1.0/users"]
    assert not any("$batch" in path for _method, path in business.task.sent)


def test_whom_the_report_leaves_out_is_read_one_by_one(business: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    named = business.refused("SoftwareOath", state="disabled")
    leave_out_of_report(monkeypatch, "daan.mulder")
    assert business.refused("SoftwareOath", state="disabled") == named
    asked = [path.partition("?")[0] for _method, path in business.task.sent if "/users" in path]
    assert asked[0] == "/v1.0/users"
    assert len(asked) == 2


def test_with_an_empty_report_everybody_is_read_in_batches(business: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on the day after P1 was bought."""
    leave_out_of_report(monkeypatch, "")
    message = business.refused("SoftwareOath", state="disabled")
    assert "7 people lose the only way to sign in with more than a password: 'ahmed.mulder@contoso.example'" in message
    asked = [path.partition("?")[0] for _method, path in business.task.sent if "/users" in path]
    assert asked == ["/v1.0/users"], "in pages, and never one for each"


def test_too_many_whom_the_report_leaves_out_are_unknown(business: Method, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_out_of_report(monkeypatch, "daan.mulder")
    monkeypatch.setattr(method_dependence, "MOST_PEOPLE", 1)
    assert "daan.mulder" in business.refused("SoftwareOath", state="disabled")
    monkeypatch.setattr(method_dependence, "MOST_PEOPLE", 0)
    message = business.refused("SoftwareOath", state="disabled")
    assert f"{LAGS}leave people out. To read it person by person, there are too many (more than 0)." in message
    assert "add 'unknown_ways_in' to accept_risks" in message
    assert not any("$batch" in path for _method, path in business.task.sent)


def test_without_a_list_of_users_the_report_may_not_be_everybody(business: Method) -> None:
    business.simulated.grant(
        "Policy.ReadWrite.AuthenticationMethod", "GroupMember.Read.All", "Policy.Read.All", "AuditLog.Read.All"
    )
    message = business.refused("SoftwareOath", state="disabled", accept_risks=["only_way_in"])
    assert f"{LAGS}leave people out. Could not list the users: " in message
    assert "add 'unknown_ways_in' to accept_risks" in message


def test_methods_in_the_report_that_nobody_knows_are_unknown(business: Method) -> None:
    register_only(business, "daan.mulder", "oneTimePasscode")
    message = business.refused("SoftwareOath", state="disabled", accept_risks=["only_way_in"])
    unknown = "Whether 1 person loses the only way to sign in with more than a password cannot be told: "
    assert f"{unknown}'daan.mulder@contoso.example'" in message


def test_an_authenticator_for_a_sign_in_without_password_is_unknown_one_by_one(legacy: Method) -> None:
    target = {"id": "all_users", "targetType": "group", "authenticationMode": "deviceBasedPush"}
    legacy.write("MicrosoftAuthenticator", state="enabled", includeTargets=[target])
    register_only(legacy, "ada.jansen", "microsoftAuthenticatorPush")
    message = legacy.refused("MicrosoftAuthenticator", state="disabled", accept_risks=["only_way_in"])
    assert "cannot be told: 'ada.jansen@fabrikam.com'" in message


def test_an_error_in_the_report_is_no_reason_to_read_people_one_by_one(business: Method) -> None:
    fault = {"path": "userRegistrationDetails", "status": 400, "times": None}
    assert business.simulated.admin("POST", "/faults", fault).status < 300
    assert "could not be read" in business.refused("SoftwareOath", state="disabled")
    assert not any("/users" in path for _method, path in business.task.sent)


def test_what_cannot_be_read_is_refused(legacy: Method) -> None:
    legacy.simulated.grant("Policy.ReadWrite.AuthenticationMethod", "GroupMember.Read.All", "Policy.Read.All")
    message = legacy.refused("MicrosoftAuthenticator", state="disabled", accept_risks=["limited_registration_methods"])
    assert "Who loses the only way to sign in could not be read" in message
    assert "add 'unknown_ways_in' to accept_risks" in message
    legacy.done("MicrosoftAuthenticator", state="disabled", accept_risks=["unknown_ways_in"])


def test_security_defaults_need_authenticator_or_codes(greenfield: Method) -> None:
    """Authenticator is all there is."""
    path = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy"
    assert greenfield.simulated.call("PATCH", path, {"isEnabled": True}).status == 204
    message = greenfield.refused("MicrosoftAuthenticator", state="disabled", accept_risks=["only_way_in"])
    assert "whoever has to register could not, administrators included" in message
    greenfield.done("SoftwareOath", state="enabled")
    message = greenfield.refused("MicrosoftAuthenticator", state="disabled", accept_risks=["only_way_in"])
    assert "add 'limited_registration_methods' to accept_risks" in message
    risks = ["only_way_in", "limited_registration_methods"]
    assert greenfield.shown("MicrosoftAuthenticator", state="disabled", accept_risks=risks)["state"] == "disabled"


def test_the_last_method_to_register_takes_a_risk_without_security_defaults_too(greenfield: Method) -> None:
    """Conditional Access or per-user MFA may ask for MFA, and nobody has registered yet."""
    for user in greenfield.simulated.simulation.store.tenant(0).documents("user"):
        register_only(greenfield, user["userPrincipalName"])
    message = greenfield.refused("MicrosoftAuthenticator", state="disabled")
    assert "whoever has registered nothing yet and is asked for MFA could not register" in message
    assert "add 'limited_registration_methods' to accept_risks" in message
    greenfield.done("Sms", state="enabled")
    assert greenfield.shown("MicrosoftAuthenticator", state="disabled")["state"] == "disabled"
    assert "limited_registration_methods" in greenfield.refused("Sms", state="disabled")
    risks = ["limited_registration_methods"]
    assert greenfield.shown("Sms", state="disabled", accept_risks=risks)["state"] == "disabled"


def test_a_token_of_another_application_needs_a_method_of_its_own(business: Method) -> None:
    business.write("MicrosoftAuthenticator", isSoftwareOathEnabled=True)
    register_only(business, "daan.mulder", "softwareOneTimePasscode")
    message = business.refused("SoftwareOath", state="disabled", accept_risks=["only_way_in"])
    assert "daan.mulder" in message
    assert "cannot be told" in message
    assert "add 'unknown_ways_in' to accept_risks" in message
    risks = ["only_way_in", "unknown_ways_in"]
    assert business.shown("SoftwareOath", state="disabled", accept_risks=risks)["state"] == "disabled"


def test_the_order_of_passkey_profiles_is_no_difference(business: Method) -> None:
    """Whatever order Graph keeps them in."""
    profiles = [{"name": name, "passkey_types": ["deviceBound", "synced"]} for name in ("One", "Another")]
    business.done("Fido2", fido2={"passkey_profiles": {"add": profiles}})
    for names in (["One", "Another"], ["Another", "One"]):
        target = {"group": "all_users", "allowed_passkey_profiles": names}
        result = business.done("Fido2", include_targets={"add": [target]}, accept_risks=["unknown_ways_in"])
    assert not result["changed"]


def test_hardware_tokens_are_looked_up_in_beta(business: Method) -> None:
    user = business.simulated.get("/v1.0/users/daan.mulder@contoso.example").body["id"]
    store = business.simulated.simulation.store.tenant(0)
    row = store.read("user", user)
    assert row is not None
    registered = ["softwareOneTimePasscode", "hardwareOneTimePasscode"]
    store.update("user", user, private={**row.private, "methodsRegistered": registered})
    assert "daan.mulder" in business.refused("SoftwareOath", state="disabled", accept_risks=["unknown_ways_in"])
    business.write("HardwareOath", "beta", state="enabled")
    with_the_others = ["only_way_in"]
    assert "daan.mulder" not in business.refused("SoftwareOath", state="disabled")
    business.done("SoftwareOath", state="disabled", accept_risks=with_the_others)


class ByVersion(FakeGraph):
    """Answers with the policy of the version that is asked for."""

    def __init__(self, **policies: Any) -> None:
        super().__init__()
        self.policies = policies

    def get(self, path: str, **keywords: Any) -> Any:
        return self.policies[str(keywords.get("version", "v1.0")).replace(".", "_")]


def plan_of(graph: ByVersion, **options: Any) -> tuple[Plan, list[str]]:
    """The plan, with the warnings."""
    warnings: list[str] = []
    written = {**dict.fromkeys(RESOURCE.options), "accept_risks": [], **options}
    run = Run(written, graph.as_client(), check_mode=True, warn=warnings.append, secret=lambda _: None)
    return RESOURCE.plan(run, RESOURCE.read(run)), warnings


def policy_with(**properties: Any) -> dict[str, Any]:
    configuration = {"includeTargets": [], "excludeTargets": [], "state": "enabled", **properties}
    return {"policyMigrationState": None, "authenticationMethodConfigurations": [configuration]}


def test_what_only_beta_has_of_certificates_is_looked_at() -> None:
    """The simulator's beta does not show it."""
    graph = ByVersion(
        v1_0=policy_with(id="X509Certificate"),
        beta=policy_with(id="X509Certificate", requireCertificateSidAlignment=None),
    )
    asked = {"id": "X509Certificate", "x509_certificate": {"require_certificate_sid_alignment": True}}
    with pytest.raises(OptionError, match="Graph shows nobody's certificates"):
        plan_of(graph, **asked)
    (change,) = plan_of(graph, **asked, accept_risks=["unknown_ways_in"])[0].changes
    assert change.outline().version == "beta"


@pytest.mark.parametrize(
    ("by_phone", "written", "is_said"),
    [(True, None, True), (False, None, False), (True, {"group": "all_users", "is_usable_for_sign_in": True}, False)],
)
def test_signing_in_by_phone_alone_is_said(by_phone: bool, written: Any, is_said: bool) -> None:
    targets = [{"id": "all_users", "targetType": "group", "isUsableForSignIn": by_phone}]
    graph = ByVersion(v1_0=policy_with(id="Sms", state="disabled", includeTargets=targets))
    edit = {"add": [written]} if written else None
    _plan, warnings = plan_of(graph, id="Sms", state="enabled", include_targets=edit)
    assert warnings == [PHONE_ENDS, *([SIGN_IN_BY_PHONE] if is_said else [])]
    assert plan_of(graph, id="Sms", state="disabled")[1] == []


def test_null_does_not_hinder_what_is_about_something_else() -> None:
    empty = dict.fromkeys(["keyRestrictions", "isAttestationEnforced", "isSelfServiceRegistrationAllowed"])
    graph = ByVersion(v1_0=policy_with(id="Fido2", state="disabled", passkeyProfiles=[], **empty))
    (change,) = plan_of(graph, id="Fido2", state="enabled")[0].changes
    assert change.after == {"state": "enabled"}
    (change,) = plan_of(graph, id="Fido2", fido2={"key_restrictions": {"is_enforced": True}})[0].changes
    assert change.outline().body["keyRestrictions"] == {"isEnforced": True}


def test_widening_asks_nobody(business: Method) -> None:
    business.task.run(id="Sms", state="enabled", include_targets={"set": [{"group": "all_users"}]})
    business.task.run(id="Fido2", include_targets={"add": [{"group": EMERGENCY}]})
    assert not any("reports" in path or "transitiveMembers" in path for _method, path in business.task.sent)
