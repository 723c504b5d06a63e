# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: authentication_method
short_description: Manage one method of the authentication methods policy
version_added: "0.1.0"
description:
  - Manages one configuration of the authentication methods policy of Microsoft Entra ID. That is its state, the groups
    it is for, and its settings.
  - A task owns what it writes, and nothing else. What is not written is neither compared nor changed. No method is
    switched off because a task does not name it.
  - Before a change that narrows a method, the module looks for people who would lose their only way to sign in, and
    refuses to go on if there are any. Narrowing is disabling, leaving groups out, excluding them, restricting passkeys,
    binding certificates differently, and the like. What cannot be read counts as unsafe. All this is checked in check
    mode too.
  - When a method is enabled, it is enabled for the groups that it includes. By default that is everybody. Write
    O(include_targets) with the state.
options:
  id:
    description:
      - The method. V(Fido2) (passkeys), V(MicrosoftAuthenticator), V(Sms), V(Voice), V(Email), V(SoftwareOath),
        V(HardwareOath), V(TemporaryAccessPass), V(X509Certificate), V(QRCodePin), or an external method by its display
        name or its ID.
      - An external method that is not there is created, when O(external) tells enough.
    type: str
    required: true
  state:
    description:
      - V(enabled) or V(disabled). Not managed when not written.
      - V(default) resets the whole method to Microsoft's default, and removes an external method. Whether a method is
        as by default, the module judges by the defaults that it knows. When Microsoft has changed one, every run resets
        the method, with a warning.
    type: str
    choices:
      - enabled
      - disabled
      - default
  include_targets:
    description:
      - The groups that may use the method. Give O(include_targets.set), or O(include_targets.add) and
        O(include_targets.remove).
    type: dict
    suboptions:
      add:
        description:
          - Groups that are included, beside those that are included already.
          - Of a group that is included already, only what is written is changed.
        type: list
        elements: dict
        suboptions: &target
          group:
            description:
              - The group by display name or object ID, or V(all_users) for everybody.
            type: str
            required: true
          is_registration_required:
            description:
              - Whether people must register the method. Microsoft does not support it, and Graph shows V(false) always.
            type: bool
          authentication_mode:
            description:
              - How Microsoft Authenticator may be used. Only for V(MicrosoftAuthenticator).
            type: str
            choices: [deviceBasedPush, push, any]
          allowed_passkey_profiles:
            description:
              - The passkey profiles for this group, by name or ID. Only for V(Fido2).
            type: list
            elements: str
          is_usable_for_sign_in:
            description:
              - Whether people may sign in with a phone number and a text message, without a password. Only for V(Sms).
            type: bool
      remove:
        description:
          - Groups that are not included any more, by display name or object ID. A group that is deleted is removed by
            its object ID.
        type: list
        elements: str
      set:
        description:
          - All groups that are included. Others are left out.
        type: list
        elements: dict
        suboptions: *target
  exclude_targets:
    description:
      - The groups that may not use the method, though they are included. Give O(exclude_targets.set), or
        O(exclude_targets.add) and O(exclude_targets.remove).
    type: dict
    suboptions:
      add:
        description:
          - Groups that are excluded, beside those that are excluded already. Display names or object IDs.
        type: list
        elements: str
      remove:
        description:
          - Groups that are not excluded any more.
        type: list
        elements: str
      set:
        description:
          - All groups that are excluded.
        type: list
        elements: str
  fido2:
    description:
      - Settings of V(Fido2).
    type: dict
    suboptions:
      is_self_service_registration_allowed:
        description:
          - Whether people may register passkeys themselves. Registering them on behalf of people needs it as well.
        type: bool
      is_attestation_enforced:
        description:
          - Whether a passkey is registered with an attestation only. Deprecated by Microsoft in favour of passkey
            profiles.
        type: bool
      default_passkey_profile:
        description:
          - The ID of the passkey profile that cannot be deleted.
        type: str
      key_restrictions: &key_restrictions
        description:
          - Which models of keys are allowed or blocked. Whoever has a model that is not allowed any more, cannot sign
            in with it.
        type: dict
        suboptions:
          is_enforced:
            description:
              - Whether the restrictions count.
            type: bool
          enforcement_type:
            description:
              - Whether the models of O(fido2.key_restrictions.aa_guids) are the only ones that are allowed, or are
                blocked.
            type: str
            choices: [allow, block]
          aa_guids:
            description:
              - The models, by AAGUID. The whole list, in any order.
            type: list
            elements: str
      passkey_profiles:
        description:
          - Passkey profiles. Give V(set), or V(add) and V(remove).
        type: dict
        suboptions:
          add:
            description:
              - Profiles that are there, beside others. Of a profile that is there already, only what is written is
                changed.
            type: list
            elements: dict
            suboptions: &profile
              name:
                description:
                  - The name of the profile.
                type: str
                required: true
              id:
                description:
                  - The ID of the profile. By default that of the profile with this name. A new profile gets an ID that
                    follows from its name.
                type: str
              passkey_types:
                description:
                  - Which kinds of passkeys are allowed. A new profile allows those that stay on a device.
                type: list
                elements: str
                choices: [deviceBound, synced]
              attestation_enforcement:
                description:
                  - Whether a passkey is registered with an attestation only. A new profile does not ask for it.
                type: str
                choices: [disabled, registrationOnly]
              key_restrictions: *key_restrictions
          remove:
            description:
              - Profiles that are removed, by name or ID. Graph refuses it for a profile that a group uses.
            type: list
            elements: str
          set:
            description:
              - All profiles that there are. Others are removed.
            type: list
            elements: dict
            suboptions: *profile
  microsoft_authenticator:
    description:
      - Settings of V(MicrosoftAuthenticator).
    type: dict
    suboptions:
      is_software_oath_enabled:
        description:
          - Whether the codes that Microsoft Authenticator shows may be used.
        type: bool
      feature_settings:
        description:
          - What Microsoft Authenticator shows to people. Number matching cannot be configured any more, it is always
            on.
        type: dict
        suboptions:
          display_app_information_required_state: &feature
            description:
              - The setting, and for whom it is.
            type: dict
            suboptions:
              state:
                description:
                  - V(default) leaves it to Microsoft.
                type: str
                choices: [default, enabled, disabled]
              include_target: &feature_target
                description:
                  - For whom the setting is, or for whom it is not.
                type: dict
                suboptions:
                  id:
                    description:
                      - The object ID, the display name of a group, or V(all_users).
                    type: str
                    required: true
                  target_type:
                    description:
                      - What kind of object that is.
                    type: str
                    choices: [group, administrativeUnit, role]
                    default: group
              exclude_target: *feature_target
          display_location_information_required_state: *feature
          companion_app_allowed_state: *feature
  voice:
    description:
      - Settings of V(Voice).
    type: dict
    suboptions:
      is_office_phone_allowed:
        description:
          - Whether people may be called on their office phone.
        type: bool
      caller_id_number:
        description:
          - The number that people see when they are called. Graph has it in its beta version only.
        type: str
  email:
    description:
      - Settings of V(Email).
    type: dict
    suboptions:
      allow_external_id_to_use_email_otp:
        description:
          - Whether guests may sign in with a code that is sent by email. While it is V(enabled), Graph refuses to
            disable the method.
        type: str
        choices: [default, enabled, disabled]
  temporary_access_pass:
    description:
      - Settings of V(TemporaryAccessPass).
    type: dict
    suboptions:
      default_lifetime_in_minutes:
        description:
          - How long a pass is valid, where nothing else is asked for. Between the minimum and the maximum.
        type: int
      default_length:
        description:
          - How many characters a pass has, 8 to 48.
        type: int
      minimum_lifetime_in_minutes:
        description:
          - The shortest lifetime, 10 to 43200.
        type: int
      maximum_lifetime_in_minutes:
        description:
          - The longest lifetime, 10 to 43200.
        type: int
      is_usable_once:
        description:
          - Whether every pass can be used once only.
        type: bool
  x509_certificate:
    description:
      - Settings of V(X509Certificate).
    type: dict
    suboptions:
      certificate_user_bindings:
        description:
          - How the user of a certificate is found. The whole list.
        type: list
        elements: dict
        suboptions:
          x509_certificate_field:
            description:
              - The field of the certificate, like V(PrincipalName) or V(SubjectKeyIdentifier).
            type: str
            required: true
          user_property:
            description:
              - The property of the user, like V(userPrincipalName) or V(certificateUserIds).
            type: str
            required: true
          priority:
            description:
              - The order in which bindings are tried. V(1) is first.
            type: int
            required: true
          trust_affinity_level:
            description:
              - How firmly this binds a certificate to a user.
            type: str
            choices: [low, high]
      authentication_mode_configuration:
        description:
          - What a certificate counts as.
        type: dict
        suboptions:
          x509_certificate_authentication_default_mode:
            description:
              - What it counts as where no rule says otherwise.
            type: str
            choices: [x509CertificateSingleFactor, x509CertificateMultiFactor]
          x509_certificate_default_required_affinity_level:
            description:
              - How firmly it must be bound where no rule says otherwise.
            type: str
            choices: [low, high]
          rules:
            description:
              - Rules for some certificates. The whole list.
            type: list
            elements: dict
            suboptions:
              x509_certificate_rule_type:
                description:
                  - What the rule looks at.
                type: str
                required: true
                choices: [issuerSubject, policyOID, issuerSubjectAndPolicyOID]
              identifier:
                description:
                  - The issuer or the policy, for the first two types.
                type: str
              issuer_subject_identifier:
                description:
                  - The issuer, for V(issuerSubjectAndPolicyOID).
                type: str
              policy_oid_identifier:
                description:
                  - The policy, for V(issuerSubjectAndPolicyOID).
                type: str
              x509_certificate_authentication_mode:
                description:
                  - What such a certificate counts as.
                type: str
                required: true
                choices: [x509CertificateSingleFactor, x509CertificateMultiFactor]
              x509_certificate_required_affinity_level:
                description:
                  - How firmly it must be bound.
                type: str
                choices: [low, high]
      crl_validation_configuration:
        description:
          - Whether certificates of authorities without a revocation list are refused. Graph has it in v1.0 only.
        type: dict
        suboptions:
          state:
            description:
              - Whether they are refused.
            type: str
            choices: [enabled, disabled]
          exempted_certificate_authorities_subject_key_identifiers:
            description:
              - Authorities for which this does not count, by subject key identifier. The whole list.
            type: list
            elements: str
      issuer_hints_configuration:
        description:
          - Whether people are offered only certificates of trusted authorities.
        type: dict
        suboptions:
          state:
            description:
              - Whether they are.
            type: str
            choices: [enabled, disabled]
      certificate_authority_scopes:
        description:
          - For whom authorities may issue certificates. The whole list.
        type: list
        elements: dict
        suboptions:
          subject_key_identifier:
            description:
              - The authority, by subject key identifier.
            type: str
            required: true
          public_key_infrastructure_identifier:
            description:
              - The ID of the public key infrastructure that the authority belongs to.
            type: str
          include_targets:
            description:
              - For whom it may. The whole list.
            type: list
            elements: dict
            suboptions:
              id:
                description:
                  - The object ID of a group.
                type: str
                required: true
              target_type:
                description:
                  - What kind of object that is.
                type: str
                choices: [group, user]
                default: group
      require_certificate_sid_alignment:
        description:
          - Whether the security identifier in a certificate must be that of the user. Graph has it in its beta version
            only.
        type: bool
  qr_code_pin:
    description:
      - Settings of V(QRCodePin).
    type: dict
    suboptions:
      standard_qr_code_lifetime_in_days:
        description:
          - How many days a QR code is valid, 1 to 395.
        type: int
      pin_length:
        description:
          - How many digits a PIN has, 8 to 20.
        type: int
  external:
    description:
      - Settings of an external method.
    type: dict
    suboptions:
      app_id:
        description:
          - The client ID of the provider's application in Entra ID.
        type: str
      open_id_connect_setting:
        description:
          - How the provider is reached.
        type: dict
        suboptions:
          client_id:
            description:
              - The client ID that the provider knows this tenant by.
            type: str
          discovery_url:
            description:
              - The URL of the provider's OpenID configuration.
            type: str
  accept_risks:
    description:
      - Risks to take on purpose, by name. The error message of a refused change names the risk it is about.
      - V(only_way_in) goes on though people lose their only way to sign in.
      - V(unknown_ways_in) goes on though it is not known whether people do. That is so of software OATH tokens that
        only O(microsoft_authenticator.is_software_oath_enabled) would allow, for they may be of another application,
        and of whoever approves sign-ins with Authenticator Lite in Outlook.
      - V(limited_registration_methods) goes on though security defaults are on, or it is not known whether they are,
        and fewer people may register Microsoft Authenticator or software OATH tokens. With security defaults off, it
        goes on though none of V(MicrosoftAuthenticator), V(SoftwareOath), V(Sms) and V(Voice) would be enabled for
        everybody, so that whoever has registered nothing yet and is asked for MFA could not register.
    type: list
    elements: str
    default: []
    choices:
      - only_way_in
      - unknown_ways_in
      - limited_registration_methods
  wait_timeout:
    description:
      - Seconds to wait until Graph shows the change.
    type: int
    default: 60
extends_documentation_fragment:
  - zerotrust.m365.graph
  - zerotrust.m365.graph.expected_groups
  - zerotrust.m365.graph.attributes
  - zerotrust.m365.graph.action_group
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: partial
    details:
      - O(state=default) is a change in every run where Microsoft's default is not the one that this module knows.
  async:
    support: full
notes:
  - Reading needs the application permission C(Policy.Read.AuthenticationMethod), changing needs
    C(Policy.ReadWrite.AuthenticationMethod). Groups are looked up with C(GroupMember.Read.All).
  - To find out who depends on a method that is to be narrowed, C(User.Read.All) and
    C(UserAuthenticationMethod.Read.All) are needed, and with Microsoft Entra ID P1 C(AuditLog.Read.All) for the report
    of registered methods. The report lags some hours, so enabled users whom it leaves out are read one by one, 20 in
    one request, and without the report everybody. Where these are more than 500, it is unknown. For security defaults
    C(Policy.Read.All) is needed.
  - Who signs in with a phone number and a text message alone, without a password, is not looked at when
    O(include_targets.set[].is_usable_for_sign_in) becomes V(false). They need a password afterwards.
  - Graph shows no certificate of a user, so nobody can tell who depends on certificates. Narrowing them needs the risk
    V(unknown_ways_in) to be accepted.
  - The policy holds at most 20 KB. A change that makes it larger is refused before anything is written.
  - Microsoft ends SMS and voice on 1 February 2027. Enabling V(Sms) or V(Voice) gives a warning.
  - Graph may show settings that Microsoft has changed. Only what a task writes is compared.
  - Microsoft Azure operated by 21Vianet has no authentication methods policy. There the module fails, and says so.
seealso:
  - module: zerotrust.m365.security_defaults
  - name: Manage authentication methods for Microsoft Entra ID
    description: Microsoft's documentation.
    link: https://learn.microsoft.com/entra/identity/authentication/concept-authentication-methods-manage
author:
  - zerotrust.m365 contributors (@zerotrust-m365)
"""

EXAMPLES = r"""
- name: Passkeys may be registered by the emergency accounts
  zerotrust.m365.authentication_method:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    id: Fido2
    state: enabled
    include_targets:
      set:
        - group: Emergency access
    fido2:
      is_self_service_registration_allowed: true

- name: Microsoft Authenticator is there for everybody, and shows where a sign-in comes from
  zerotrust.m365.authentication_method:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    id: MicrosoftAuthenticator
    state: enabled
    include_targets:
      add:
        - group: all_users
          authentication_mode: any
    microsoft_authenticator:
      feature_settings:
        display_location_information_required_state:
          state: enabled

- name: See who would be locked out without text messages
  zerotrust.m365.authentication_method:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    id: Sms
    state: disabled
  check_mode: true

- name: QR codes are as by default
  zerotrust.m365.authentication_method:
    tenant_id: contoso.onmicrosoft.com
    client_id: 11111111-2222-3333-4444-555555555555
    client_certificate_path: /etc/zerotrust/contoso.pem
    id: QRCodePin
    state: default
"""

RETURN = r"""
authentication_method:
  description:
    - The method, in check mode as a run would leave it. Its settings are under the name that they have as options.
  returned: success
  type: dict
  contains:
    id:
      description: The method.
      type: str
      sample: Fido2
    exists:
      description: Whether the method is there. An external method may not be.
      type: bool
      sample: true
    state:
      description: Whether the method is enabled. Null where it is not there.
      type: str
      sample: enabled
    include_targets:
      description: Who may use it.
      type: list
      elements: dict
      contains:
        id:
          description: The object ID of the group, or V(all_users).
          type: str
        target_type:
          description: Whether that is a group or a user. There are users in old policies only.
          type: str
        display_name:
          description: The name of the group. Null where the task does not name it.
          type: str
      sample: [{"display_name": null, "id": "all_users", "is_registration_required": false, "target_type": "group"}]
    exclude_targets:
      description: Who may not.
      type: list
      elements: dict
      sample: []
    fido2:
      description: The settings, for V(Fido2). Other methods have theirs under their own name.
      type: dict
      returned: for this method
      sample: {"is_self_service_registration_allowed": true}
expected_configuration:
  description:
    - In check mode the configuration of the method as Graph would show it after a run, in Graph's own form, for
      O(zerotrust.m365.authentication_methods_policy#module:expected_configurations). Null when nothing would change,
      and outside check mode.
  returned: success
  type: dict
  sample: null
msg:
  description: One sentence about what was done, would be done, or was found.
  returned: always
  type: str
  sample: The authentication method Fido2 was changed (state, include targets).
graph_calls:
  description: The requests sent to Microsoft Graph, with IDs replaced and equal neighbours counted.
  returned: always
  type: list
  elements: dict
  sample:
    - count: 1
      method: GET
      path: /v1.0/policies/authenticationMethodsPolicy
      status: 200
error:
  description: What Graph or the sign-in answered.
  returned: when Graph or the sign-in refused
  type: dict
  sample: {"code": "AccessDenied", "request_id": "00000000-0000-0000-0000-000000000000", "status": 403}
"""

from ansible_collections.zerotrust.m365.plugins.module_utils._module import run_module
from ansible_collections.zerotrust.m365.plugins.module_utils._resources.authentication_method import RESOURCE


def main() -> None:
    run_module(RESOURCE)


if __name__ == "__main__":
    main()
