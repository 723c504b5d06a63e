# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who loses their only way to sign in when the authentication methods policy changes (private to the collection).

Pure functions. What cannot be told is None, and None never counts as safe.

Sources: Microsoft's pages "Manage authentication methods" (an exclusion wins; a method that is not enabled for somebody
cannot be used), "Enable passkeys (FIDO2)" (a model that is not allowed any more cannot be used, though registered),
"Enable passkey profiles", and the Graph reference of userRegistrationDetails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .authentication_methods import (
    ALL_USERS,
    AUTHENTICATOR,
    MIGRATION_COMPLETE,
    OF_SECURITY_DEFAULTS,
    REGISTRABLE,
    SOFTWARE_OATH,
    check_shape,
    migration_state,
    registration_reach,
)
from .conditional_access_reach import Memberships, any_of
from .facts import Fact, UnexpectedShape, boolean, mapping, objects, optional_boolean, text
from .second_factors import is_activated
from .security_defaults import LIMITED_REGISTRATION_METHODS, UNKNOWN_WAYS_IN, Obstacle, counted, quoted

ONLY_WAY_IN = "only_way_in"
RISKS = (ONLY_WAY_IN, UNKNOWN_WAYS_IN, LIMITED_REGISTRATION_METHODS)

Configuration = Mapping[str, Any]

EXTERNAL_TYPE = "#microsoft.graph.externalAuthenticationMethodConfiguration"

PASSKEYS = (
    "fido2SecurityKey",
    "passKeyDeviceBound",
    "passKeyDeviceBoundAuthenticator",
    "passKeyDeviceBoundWindowsHello",
    "passKeySynced",
)
# They belong to a device; the policy does not govern them.
OF_A_DEVICE = ("windowsHelloForBusiness", "macOsSecureEnclaveKey")
# Gone tomorrow: no way to go on with, though a way in today.
TEMPORARY = "temporaryAccessPass"

# What the list of somebody's methods shows of Microsoft Authenticator, whether set up for notifications, for a sign-in
# without password, or for both.
AUTHENTICATOR_APP = "microsoftAuthenticator"

# What the legacy MFA settings can allow as well, until the migration is complete.
ALLOWED_BY_LEGACY_SETTINGS = (
    "mobilePhone",
    "alternateMobilePhone",
    "officePhone",
    "microsoftAuthenticatorPush",
    AUTHENTICATOR_APP,
    "softwareOneTimePasscode",
    "hardwareOneTimePasscode",
)


@dataclass(frozen=True)
class Passkey:
    """A registered passkey: its model by AAGUID, and whether it is synced; None where Graph does not say."""

    aa_guid: str | None
    synced: bool | None


@dataclass(frozen=True)
class Person:
    """Somebody with what they have registered, in the words of userRegistrationDetails.

    Of those who were read one by one, what the report has no word for is there by the name of its type. ``id`` is in
    lower case. ``passkeys`` is None while they have not been read one by one.
    """

    id: str
    name: str
    methods: frozenset[str]
    groups: Memberships
    passkeys: tuple[Passkey, ...] | None = None


# What a change is about


def narrowed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Ids of the configurations that somebody may be able to use before the change, but not after it.

    Too many rather than too few. Raises UnexpectedShape.
    """
    later = _configurations(after)
    check_shape(before)
    return [
        text(configuration, "id")
        for configuration in objects(before, "authenticationMethodConfigurations")
        if _is_narrower(configuration, later.get(_id(configuration)))
    ]


def _is_narrower(before: Configuration, after: Configuration | None) -> bool:
    if text(before, "state") != "enabled":
        return False
    if after is None or text(after, "state") != "enabled":
        return True
    included, excluded = _by_id(before, "includeTargets"), _by_id(before, "excludeTargets")
    later = _by_id(after, "includeTargets")
    if any(identity not in later or _differs(target, later[identity]) for identity, target in included.items()):
        return True
    if any(identity not in excluded for identity in _by_id(after, "excludeTargets")):
        return True
    if _id(before) == "x509certificate":
        return are_certificates_narrower(before, after)
    if _id(before) == "email":
        name = "allowExternalIdToUseEmailOtp"
        return bool(after.get(name) == "disabled" and before.get(name) != "disabled")
    return (
        any(before.get(name) and not after.get(name) for name in ("isSoftwareOathEnabled", "isOfficePhoneAllowed"))
        or any(before.get(name) != after.get(name) for name in ("appId", "openIdConnectSetting"))
        or _are_keys_narrower(before, after)
        or _are_profiles_narrower(before, after)
    )


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a target may allow less than before."""
    mode = "authenticationMode"
    if after.get(mode, "any") not in ("any", before.get(mode)):
        return True
    profiles = "allowedPasskeyProfiles"
    return set(before.get(profiles) or ()) != set(after.get(profiles) or ())


def _are_keys_narrower(before: Configuration, after: Configuration) -> bool:
    old, new = before.get("keyRestrictions") or {}, after.get("keyRestrictions") or {}
    if old == new or not new.get("isEnforced"):
        return False
    if not old.get("isEnforced") or old.get("enforcementType") != new.get("enforcementType"):
        return True
    listed = [{str(model).lower() for model in one.get("aaGuids") or ()} for one in (old, new)]
    return not (listed[0] <= listed[1] if new.get("enforcementType") == "allow" else listed[1] <= listed[0])


def _are_profiles_narrower(before: Configuration, after: Configuration) -> bool:
    later = {text(profile, "id").lower(): profile for profile in after.get("passkeyProfiles") or ()}
    for profile in before.get("passkeyProfiles") or ():
        other = later.get(text(profile, "id").lower())
        if other is None or _are_keys_narrower(profile, other):
            return True
        if not _kinds(profile) <= _kinds(other):
            return True
    # A profile that targets name already, though it was not there: what they allow changes.
    known = {text(profile, "id").lower() for profile in before.get("passkeyProfiles") or ()}
    return bool(later.keys() - known) and any(
        str(name).lower() in later.keys() - known
        for target in objects(before, "includeTargets")
        for name in target.get("allowedPasskeyProfiles") or ()
    )


def _kinds(profile: Configuration) -> set[str]:
    return {kind.strip() for kind in str(profile.get("passkeyTypes")).split(",")}


def are_certificates_narrower(before: Configuration, after: Configuration) -> bool:
    """Whether a certificate that was good for a sign-in, or for MFA, may not be any more."""
    bindings = [_frozen(binding) for binding in after.get("certificateUserBindings") or ()]
    if any(_frozen(binding) not in bindings for binding in before.get("certificateUserBindings") or ()):
        return True
    old, new = _modes(before), _modes(after)
    if old != new and (old[0] != new[0] or new[1] == "high" or old[2] != new[2]):
        return True
    old_list, new_list = before.get("crlValidationConfiguration") or {}, after.get("crlValidationConfiguration") or {}
    if old_list != new_list and new_list.get("state") == "enabled":
        return True
    if before.get("certificateAuthorityScopes") != after.get("certificateAuthorityScopes"):
        return True
    name = "requireCertificateSidAlignment"
    return bool(after.get(name)) and not before.get(name)


def _modes(configuration: Configuration) -> tuple[Any, Any, Any]:
    modes = configuration.get("authenticationModeConfiguration") or {}
    return (
        modes.get("x509CertificateAuthenticationDefaultMode"),
        modes.get("x509CertificateDefaultRequiredAffinityLevel"),
        modes.get("rules"),
    )


def _frozen(binding: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """A binding without its place in the order."""
    return frozenset((name, str(value)) for name, value in binding.items() if name != "priority" and "@" not in name)


# What somebody can use


class Methods:
    """The policy, asked what people can use. Raises UnexpectedShape."""

    def __init__(self, policy: Mapping[str, Any]) -> None:
        check_shape(policy)
        self.by_id = _configurations(policy)
        self.external = [
            configuration for configuration in self.by_id.values() if configuration.get("@odata.type") == EXTERNAL_TYPE
        ]

    def groups(self) -> frozenset[str]:
        """All groups that decide who can use what."""
        return frozenset(
            identity
            for configuration in self.by_id.values()
            if text(configuration, "state") == "enabled"
            for side in ("includeTargets", "excludeTargets")
            for identity in _by_id(configuration, side)
            if identity != ALL_USERS and identity.strip("0-")
        )

    def allows(self, person: Person, method: str) -> bool | None:
        """Whether somebody can use a method that they have registered; None where that cannot be told."""
        if method in OF_A_DEVICE:
            return True
        if method in _RULES:
            return _RULES[method](self, person)
        return False if method in KNOWN else None

    def enabled_for(self, person: Person, method: str) -> bool | None:
        configuration = self.by_id.get(method.lower())
        # A configuration that this version of Graph does not show: nothing is known of it.
        return None if configuration is None else _is_enabled_for(configuration, person)

    def passkeys(self, person: Person, synced: bool | None) -> bool | None:
        """By the profiles of the targets that somebody is in, or by the restrictions for all where there are none."""
        configuration = self.by_id.get("fido2")
        if configuration is None:
            return None
        enabled = _is_enabled_for(configuration, person)
        if enabled is False:
            return False
        known = {text(profile, "id").lower(): profile for profile in configuration.get("passkeyProfiles") or ()}
        answers: list[bool | None] = []
        for target in objects(configuration, "includeTargets"):
            meant = _means(target, person)
            chosen = [str(name).lower() for name in target.get("allowedPasskeyProfiles") or ()]
            rules: list[Configuration] = [known[name] for name in chosen if name in known] or [configuration]
            answers.append(all_of([meant, any_of([_passes(rule, person, synced) for rule in rules])]))
        return all_of([enabled, any_of(answers)])


def all_of(answers: Iterable[bool | None]) -> bool | None:
    found = list(answers)
    if False in found:
        return False
    return None if None in found else True


def _is_enabled_for(configuration: Configuration, person: Person) -> bool | None:
    if text(configuration, "state") != "enabled":
        return False
    included = any_of([_means(target, person) for target in objects(configuration, "includeTargets")])
    excluded = any_of([_means(target, person) for target in objects(configuration, "excludeTargets")])
    return all_of([included, None if excluded is None else not excluded])


def _means(target: Mapping[str, Any], person: Person) -> bool | None:
    identity = text(target, "id").lower()
    if identity in (ALL_USERS, person.id):
        return True
    return person.groups.one_of([identity])


def _passes(rule: Configuration, person: Person, synced: bool | None) -> bool | None:
    """Whether a passkey of this person passes one profile, or the restrictions for all."""
    kinds = rule.get("passkeyTypes")
    allowed_kinds = None if kinds is None else {kind.strip() for kind in str(kinds).split(",")}
    restrictions = rule.get("keyRestrictions") or {}
    if person.passkeys is None:
        right_kind = _is_kind(synced, allowed_kinds)
        if not restrictions.get("isEnforced"):
            return right_kind
        return False if right_kind is False else None
    return any_of(
        [
            all_of([_is_kind(passkey.synced, allowed_kinds), _is_model(passkey.aa_guid, restrictions)])
            for passkey in person.passkeys
        ]
    )


def _is_kind(synced: bool | None, allowed: set[str] | None) -> bool | None:
    if allowed is None or {"deviceBound", "synced"} <= allowed:
        return True
    return None if synced is None else ("synced" if synced else "deviceBound") in allowed


def _is_model(aa_guid: str | None, restrictions: Mapping[str, Any]) -> bool | None:
    if not restrictions.get("isEnforced"):
        return True
    if aa_guid is None:
        return None
    listed = aa_guid.lower() in {str(model).lower() for model in restrictions.get("aaGuids") or ()}
    return listed if restrictions.get("enforcementType") == "allow" else not listed


def _authenticator(mode: str, methods: Methods, person: Person) -> bool | None:
    configuration = methods.by_id.get(AUTHENTICATOR.lower())
    if configuration is None:
        return None
    in_mode = [
        all_of([_means(target, person), target.get("authenticationMode", "any") in ("any", mode)])
        for target in objects(configuration, "includeTargets")
    ]
    return all_of([_is_enabled_for(configuration, person), any_of(in_mode)])


def _authenticator_app(methods: Methods, person: Person) -> bool | None:
    passwordless = _authenticator("deviceBasedPush", methods, person)
    return any_of([_authenticator("push", methods, person), None if passwordless else passwordless])


def _codes(methods: Methods, person: Person) -> bool | None:
    """Of an application. Those of Microsoft Authenticator its own configuration allows as well, but Graph does not show
    whose they are (isSoftwareOathEnabled in the reference of microsoftAuthenticatorAuthenticationMethodConfiguration).
    """
    authenticator = methods.by_id.get(AUTHENTICATOR.lower(), {})
    shows_codes = bool(authenticator.get("isSoftwareOathEnabled"))
    by_authenticator = methods.enabled_for(person, AUTHENTICATOR) if shows_codes else False
    return any_of([methods.enabled_for(person, SOFTWARE_OATH), None if by_authenticator else by_authenticator])


def _enabled(ids: Sequence[str], methods: Methods, person: Person) -> bool | None:
    return any_of([methods.enabled_for(person, method) for method in ids])


def _office_phone(methods: Methods, person: Person) -> bool | None:
    voice = methods.by_id.get("voice")
    if voice is None:
        return None
    return _is_enabled_for(voice, person) if voice.get("isOfficePhoneAllowed") else False


def _external(methods: Methods, person: Person) -> bool | None:
    """Which of several external methods somebody has registered, the report does not say."""
    answers = {_is_enabled_for(configuration, person) for configuration in methods.external}
    return answers.pop() if len(answers) == 1 else (None if answers else False)


def _passkey(synced: bool, methods: Methods, person: Person) -> bool | None:
    return methods.passkeys(person, synced)


_RULES: dict[str, Callable[[Methods, Person], bool | None]] = {
    **dict.fromkeys(PASSKEYS, partial(_passkey, False)),
    "passKeySynced": partial(_passkey, True),
    "microsoftAuthenticatorPush": partial(_authenticator, "push"),
    "microsoftAuthenticatorPasswordless": partial(_authenticator, "deviceBasedPush"),
    AUTHENTICATOR_APP: _authenticator_app,
    "softwareOneTimePasscode": _codes,
    "hardwareOneTimePasscode": partial(_enabled, ["HardwareOath"]),
    "mobilePhone": partial(_enabled, ["Sms", "Voice"]),
    "alternateMobilePhone": partial(_enabled, ["Voice"]),
    "officePhone": _office_phone,
    TEMPORARY: partial(_enabled, ["TemporaryAccessPass"]),
    "qrCode": partial(_enabled, ["QRCodePin"]),
    "externalAuthMethod": _external,
}
# Whoever has anything else counts as registered for MFA. A QR code is a first factor.
NOT_FOR_MFA = frozenset({"appPassword", "email", "none", "password", "qrCode", "securityQuestion"})
KNOWN = frozenset({*_RULES, *OF_A_DEVICE, *NOT_FOR_MFA})

# The registered methods that a configuration governs.
_GOVERNED = {
    "fido2": PASSKEYS,
    "microsoftauthenticator": (
        "microsoftAuthenticatorPush",
        "microsoftAuthenticatorPasswordless",
        AUTHENTICATOR_APP,
        "softwareOneTimePasscode",
    ),
    "softwareoath": ("softwareOneTimePasscode",),
    "hardwareoath": ("hardwareOneTimePasscode",),
    "sms": ("mobilePhone",),
    "voice": ("mobilePhone", "alternateMobilePhone", "officePhone"),
    "temporaryaccesspass": (TEMPORARY,),
    "qrcodepin": ("qrCode",),
    "x509certificate": (),
    "email": (),
}


def governed(configurations: Iterable[str]) -> frozenset[str]:
    """The registered methods that these configurations decide about; those of an external one for any other id."""
    return frozenset(
        method for name in configurations for method in _GOVERNED.get(name.lower(), ("externalAuthMethod",))
    )


def concerned(registered: frozenset[str], changed: Iterable[str]) -> frozenset[str]:
    """What a change of these methods may concern: any configuration may govern a method that nobody knows."""
    return registered.intersection(changed) | (registered - KNOWN)


# The verdict


def loses_the_only_way_in(
    before: Methods, after: Methods, person: Person, changed: Iterable[str], *, legacy: bool = False
) -> bool | None:
    """Whether a change takes somebody's last way to sign in with more than a password; None when that cannot be told.

    ``changed`` are the registered methods that the change may concern. With ``legacy``, the legacy settings count as
    allowing what they can before the change. A Temporary Access Pass is a way in, but not one to stay with. A QR code
    is a first factor: it is left to whoever loses another one, but takes nobody through MFA.
    """
    found = concerned(person.methods, changed)
    return any_of(
        [
            _loses_the_last(before, after, person, person.methods - NOT_FOR_MFA, found - NOT_FOR_MFA, legacy),
            _loses_the_last(before, after, person, person.methods, found & NOT_FOR_MFA, legacy),
        ]
    )


def _loses_the_last(
    before: Methods, after: Methods, person: Person, kept: frozenset[str], at_stake: Iterable[str], legacy: bool
) -> bool | None:
    """Whether one of the methods ``at_stake`` is lost, and none of ``kept`` is left."""
    losses = []
    for method in at_stake:
        could = True if legacy and method in ALLOWED_BY_LEGACY_SETTINGS else before.allows(person, method)
        can = after.allows(person, method)
        losses.append(all_of([could, None if can is None else not can]))
    remaining = any_of([after.allows(person, method) for method in kept - {TEMPORARY}])
    return all_of([any_of(losses), None if remaining is None else not remaining])


def lockout_obstacles(lost: list[str], unclear: list[str], policy: Mapping[str, Any]) -> list[Obstacle]:
    """``lost`` and ``unclear`` are names of people. Raises UnexpectedShape."""
    obstacles = []
    legacy = (
        ""
        if migration_state(policy) == MIGRATION_COMPLETE
        else " The legacy MFA settings may still allow the method, for the migration is not complete; Graph does not "
        "show them."
    )
    if lost:
        obstacles.append(
            Obstacle(
                f"{counted(len(lost), 'person loses', 'people lose')} the only way to sign in with more than a "
                f"password: {quoted(sorted(lost))}. Have them register another method that is enabled for them."
                f"{legacy}",
                ONLY_WAY_IN,
            )
        )
    if unclear:
        obstacles.append(
            Obstacle(
                f"Whether {counted(len(unclear), 'person loses', 'people lose')} the only way to sign in with more "
                f"than a password cannot be told: {quoted(sorted(unclear))}.{legacy}",
                UNKNOWN_WAYS_IN,
            )
        )
    return obstacles


def unreadable_obstacle(reason: str) -> Obstacle:
    return Obstacle(f"Who loses the only way to sign in could not be read: {reason}", UNKNOWN_WAYS_IN)


CERTIFICATES = Obstacle(
    "Graph shows nobody's certificates, so it is not known who signs in with one and would not be able to any more.",
    UNKNOWN_WAYS_IN,
)
EMAILED_CODES = Obstacle(
    "Guests who sign in with a code that is sent by email, would not be able to any more. Who they are is not known.",
    UNKNOWN_WAYS_IN,
)
AUTHENTICATOR_LITE = Obstacle(
    "People who approve sign-ins with Authenticator Lite in Outlook (companion_app_allowed_state) would not be able to "
    "any more. Who they are is not known. Have them set up Microsoft Authenticator first.",
    UNKNOWN_WAYS_IN,
)
EXTERNAL_PROVIDER = Obstacle(
    "Whether people can go on with another provider or application behind this external method is not known.",
    UNKNOWN_WAYS_IN,
)


def invisible_obstacles(before: Mapping[str, Any], after: Mapping[str, Any], changed: Iterable[str]) -> list[Obstacle]:
    """What Graph does not show about the configurations that a change narrows, and about Authenticator Lite, which a
    change can narrow by itself. Raises UnexpectedShape."""
    old, new = _configurations(before), _configurations(after)
    obstacles = [AUTHENTICATOR_LITE] if _is_lite_narrower(old, new) else []
    for name in (identity.lower() for identity in changed):
        if name == "x509certificate":
            obstacles.append(CERTIFICATES)
        elif name == "email":
            earlier, later = (one.get(name, {}).get("allowExternalIdToUseEmailOtp") for one in (old, new))
            if earlier != "disabled" and later == "disabled":
                obstacles.append(EMAILED_CODES)
        elif name not in _GOVERNED and name in new:
            was, will_be = old[name], new[name]
            if any(was.get(part) != will_be.get(part) for part in ("appId", "openIdConnectSetting")):
                obstacles.append(EXTERNAL_PROVIDER)
    return obstacles


def _is_lite_narrower(before: Mapping[str, Configuration], after: Mapping[str, Configuration]) -> bool:
    """Whether Authenticator Lite reaches fewer people. Where Microsoft decides (``default``), it is on.

    Source: "Protecting authentication methods in Microsoft Entra ID". v1.0 does not show it: then nothing changes it.
    """
    authenticators = [configurations.get(AUTHENTICATOR.lower(), {}) for configurations in (before, after)]
    old, new = (_companion(authenticator) for authenticator in authenticators)
    if authenticators[0].get("state") != "enabled" or old == new or old.get("state") == "disabled":
        return False
    if new.get("state") not in ("enabled", "default"):
        return True
    included, excluded = (
        tuple(_target_of(feature, side) for feature in (old, new)) for side in ("includeTarget", "excludeTarget")
    )
    return included[1] not in (ALL_USERS, included[0]) or excluded[1] not in ("", excluded[0])


def _companion(authenticator: Configuration) -> Mapping[str, Any]:
    return _part(_part(authenticator, "featureSettings"), "companionAppAllowedState")


def _part(item: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return {} if item.get(name) is None else mapping(item, name)


def _target_of(feature: Mapping[str, Any], side: str) -> str:
    """The id of a target, or "" for none, which Graph writes as zeros."""
    identity = str(_part(feature, side).get("id") or "").lower()
    return identity if identity.strip("0-") else ""


def is_about_registration(changed: Iterable[str]) -> bool:
    """Whether a method that people can register while somebody waits for their second factor is narrowed."""
    return bool({name.lower() for name in changed} & {name.lower() for name in REGISTRABLE})


def registration_obstacles(security_defaults: Fact, changed: Iterable[str], after: Mapping[str, Any]) -> list[Obstacle]:
    """What stands in the way of narrowing methods that people can register. Raises UnexpectedShape.

    ``security_defaults`` holds whether they are on. Conditional Access and per-user MFA ask those for MFA as well who
    have registered nothing yet.
    """
    if {name.lower() for name in changed} & {name.lower() for name in OF_SECURITY_DEFAULTS}:
        obstacles = _security_defaults_obstacles(security_defaults, after)
        if obstacles:
            return obstacles
    if registration_reach(after, REGISTRABLE) == "everybody":
        return []
    return [
        Obstacle(
            "None of Microsoft Authenticator, software OATH tokens, SMS and voice would be enabled for everybody: "
            "whoever has registered nothing yet and is asked for MFA could not register, and not get in. Switch "
            "another one on for everybody first.",
            LIMITED_REGISTRATION_METHODS,
        )
    ]


def _security_defaults_obstacles(security_defaults: Fact, after: Mapping[str, Any]) -> list[Obstacle]:
    if not security_defaults.known:
        return [
            Obstacle(
                "Whether security defaults are on could not be read. While they are, people can register Microsoft "
                f"Authenticator and software OATH tokens only: {security_defaults.reason}",
                LIMITED_REGISTRATION_METHODS,
            )
        ]
    if not security_defaults.value:
        return []
    if registration_reach(after) == "nobody":
        return [
            Obstacle(
                "Security defaults are on, and neither notifications of Microsoft Authenticator nor software OATH "
                "tokens would be enabled: whoever has to register could not, administrators included."
            )
        ]
    return [
        Obstacle(
            "Security defaults are on, and fewer people could register Microsoft Authenticator or software OATH "
            "tokens, which are all that people can register then.",
            LIMITED_REGISTRATION_METHODS,
        )
    ]


def refusal(obstacles: Iterable[Obstacle]) -> str:
    """One message for all obstacles, each with what to do."""
    lines = []
    for obstacle in obstacles:
        hint = f" To go on all the same, add '{obstacle.risk}' to accept_risks." if obstacle.risk else ""
        lines.append(obstacle.sentence + hint)
    return "The authentication methods policy was not changed. " + " ".join(lines)


# What people have registered


def from_registration_details(item: Mapping[str, Any]) -> tuple[str, str, frozenset[str]]:
    """Id, name and methods of somebody in the report. Raises UnexpectedShape."""
    methods = item.get("methodsRegistered")
    if not isinstance(methods, list):
        raise UnexpectedShape("'methodsRegistered' is no list")
    return text(item, "id"), text(item, "userPrincipalName"), frozenset(str(method) for method in methods)


# Where the report has another word.
_TYPES = {
    "passwordlessMicrosoftAuthenticator": "microsoftAuthenticatorPasswordless",
    "softwareOath": "softwareOneTimePasscode",
    "hardwareOath": "hardwareOneTimePasscode",
    "platformCredential": "macOsSecureEnclaveKey",
    "fido2": "fido2SecurityKey",
    "external": "externalAuthMethod",
    "qrCodePin": "qrCode",
}
_PHONES = {"mobile": "mobilePhone", "alternateMobile": "alternateMobilePhone", "office": "officePhone"}


def from_methods(items: Iterable[Mapping[str, Any]]) -> tuple[frozenset[str], tuple[Passkey, ...]]:
    """Methods and passkeys in the list of somebody's authentication methods. Raises UnexpectedShape."""
    methods: set[str] = set()
    passkeys = []
    for item in items:
        kind = text(item, "@odata.type").removeprefix("#microsoft.graph.").removesuffix("AuthenticationMethod")
        if kind == "phone":
            phone = text(item, "phoneType")
            methods.add(_PHONES.get(phone, phone))
        elif kind == "temporaryAccessPass":
            methods |= {TEMPORARY} if optional_boolean({"isUsable": None, **item}, "isUsable") is not False else set()
        elif kind == "hardwareOath" and not is_activated(item.get("device")):
            continue
        else:
            methods.add(_TYPES.get(kind, kind))
        if kind == "fido2":
            passkeys.append(passkey_of(item))
    return frozenset(methods), tuple(passkeys)


def passkey_of(item: Mapping[str, Any]) -> Passkey:
    """A fido2AuthenticationMethod."""
    model, kind = item.get("aaGuid"), item.get("passkeyType")
    synced = {"synced": True, "deviceBound": False}.get(kind) if isinstance(kind, str) else None
    return Passkey(model if isinstance(model, str) and model else None, synced)


def is_on(policy: Mapping[str, Any]) -> bool:
    """Whether security defaults are on. Raises UnexpectedShape."""
    return boolean(policy, "isEnabled")


def _id(configuration: Configuration) -> str:
    return text(configuration, "id").lower()


def _configurations(policy: Mapping[str, Any]) -> dict[str, Configuration]:
    return {
        _id(configuration): configuration for configuration in objects(policy, "authenticationMethodConfigurations")
    }


def _by_id(configuration: Configuration, name: str) -> dict[str, Mapping[str, Any]]:
    return {text(target, "id").lower(): target for target in objects(configuration, name)}
