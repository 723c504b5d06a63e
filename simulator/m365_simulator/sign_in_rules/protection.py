# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How well MFA protects a user, and whether the user can get in at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal, NamedTuple

from m365_simulator.sign_in_rules.applications import AZURE_PORTAL, EXCHANGE_ONLINE, MICROSOFT_GRAPH
from m365_simulator.sign_in_rules.attempt import LEGACY_CLIENTS, VALUES, Attempt, Mfa, Protection
from m365_simulator.sign_in_rules.conditional_access import read_range
from m365_simulator.sign_in_rules.demands import AFTER_REGISTRATION, ALWAYS, MFA, NO, WHEN_NECESSARY
from m365_simulator.sign_in_rules.directory import Directory
from m365_simulator.sign_in_rules.judging import look
from m365_simulator.sign_in_rules.person import Person
from m365_simulator.sign_in_rules.security_defaults import is_administrator

ANOTHER_APPLICATION = "an application that no policy names"
MODERN_CLIENTS = ("browser", "mobileAppsAndDesktopClients")


def protection(directory: Directory, user_id: str) -> Protection:
    """By object id or principal name. Remembered for everybody in the same situation."""
    person = directory.person(user_id)
    if person is None:
        return Protection("unknown", "unknown", "no", False, ("There is no such user, or it is deleted.",))
    return protection_of(directory, person)


def protections(directory: Directory) -> Iterator[tuple[str, Protection]]:
    """Of everybody, with the object id."""
    for id, person in directory.people():
        yield id, protection_of(directory, person)


def protection_of(directory: Directory, person: Person) -> Protection:
    known = directory.known_protections.get(person)
    if known is None:
        directory.evaluations += 1
        known = directory.known_protections[person] = _protection(directory, person)
    return known


def _protection(directory: Directory, person: Person) -> Protection:
    modern = _weakest(directory, person, _modern_sign_ins(directory))
    legacy = _weakest(directory, person, _legacy_sign_ins(directory))
    weakest = min(modern, legacy, key=lambda found: found.asked)
    both = _Weakest(weakest.asked, min(modern.asked_at_most, legacy.asked_at_most), weakest.reason)
    reasons = (both.reason,) if both.reason else ()
    administrator = is_administrator(directory, person)
    return Protection(both.mfa(), modern.mfa(), _way_in(directory, person), administrator, reasons)


class _Weakest(NamedTuple):
    """What the weakest of some sign-ins asks for at least and at most, and which it is."""

    asked: int
    asked_at_most: int
    reason: str

    def mfa(self) -> Mfa:
        """Where the unknown lies between the two that protect, the weaker of them is the answer."""
        return MFA[self.asked] if self.asked == self.asked_at_most or self.asked >= WHEN_NECESSARY else "unknown"


def _weakest(directory: Directory, person: Person, attempts: Iterable[Attempt]) -> _Weakest:
    asked, asked_at_most, reason = ALWAYS, ALWAYS, ""
    for attempt in attempts:
        outcome = look(directory, person, attempt)
        # What cannot end well needs no MFA.
        least = ALWAYS if outcome.best == NO else outcome.asked
        most = ALWAYS if outcome.worst == NO else outcome.asked_at_most
        if (least, most) < (asked, asked_at_most):
            reason = _sentence(attempt, outcome.reasons)
        asked, asked_at_most = min(asked, least), min(asked_at_most, most)
    return _Weakest(asked, asked_at_most, reason)


def _sentence(attempt: Attempt, reasons: tuple[str, ...]) -> str:
    place = "Exchange Online" if attempt.application == EXCHANGE_ONLINE else attempt.application
    return f'The weakest sign-in is by "{attempt.client_app}" to {place}: {" ".join(reasons) or "nothing is demanded."}'


def _modern_sign_ins(directory: Directory) -> Iterator[Attempt]:
    """From nowhere in particular."""
    for attempt in _by_every_device(directory, _outside(EXCHANGE_ONLINE)):
        for client in MODERN_CLIENTS:
            yield replace(attempt, client_app=client)
            yield replace(attempt, client_app=client, application=ANOTHER_APPLICATION)


def _legacy_sign_ins(directory: Directory) -> Iterator[Attempt]:
    for attempt in _by_every_device(directory, _outside(EXCHANGE_ONLINE)):
        for client in LEGACY_CLIENTS:
            yield replace(attempt, client_app=client, methods=("password",))


def _by_every_device(directory: Directory, attempt: Attempt) -> Iterator[Attempt]:
    """Whoever signs in chooses the platform and the device, as far as policies look at them."""
    conditions = [policy["conditions"] for policy in directory.policies]
    platforms = VALUES["platform"] if any(item.get("platforms") for item in conditions) else (None,)
    filters = (True, False) if any(item.get("devices") for item in conditions) else (None,)
    for platform in platforms:
        for matches in filters:
            yield replace(attempt, platform=platform, device_filter_matches=matches)


def _outside(application: str) -> Attempt:
    return Attempt(
        user_id="",
        application=application,
        outside_named_locations=True,
        familiar=False,
        remembered=False,
        inside_corporate_network=False,
        device_compliant=False,
        device_hybrid_joined=False,
        approved_application=False,
        compliant_application=False,
        sign_in_risk="none",
        user_risk="none",
    )


def _way_in(directory: Directory, person: Person) -> Literal["yes", "no", "unknown"]:
    if not person.enabled:
        return "no"
    applications = (
        (AZURE_PORTAL, MICROSOFT_GRAPH)
        if is_administrator(directory, person)
        else (EXCHANGE_ONLINE, ANOTHER_APPLICATION)
    )
    possible = False
    for application in applications:
        outside = _outside(application)
        for attempt in (outside, *_from_known_places(directory, outside)):
            for device in _by_every_device(directory, attempt):
                for client in MODERN_CLIENTS:
                    if look(directory, person, replace(device, client_app=client)).worst <= AFTER_REGISTRATION:
                        return "yes"
        # With whatever the person may have that the state does not show: a managed device, another place.
        anyhow = look(directory, person, Attempt(user_id="", application=application))
        possible = possible or anyhow.best <= AFTER_REGISTRATION
    return "unknown" if possible else "no"


def _from_known_places(directory: Directory, outside: Attempt) -> Iterator[Attempt]:
    """One place in each named location."""
    inside = replace(outside, outside_named_locations=False)
    for location in directory.locations.values():
        for item in location.get("ipRanges") or ():
            network = read_range(item.get("cidrAddress"))
            if network is not None:
                yield replace(inside, ip_address=str(network[0]))
        for country in location.get("countriesAndRegions") or ():
            yield replace(inside, country=str(country))
