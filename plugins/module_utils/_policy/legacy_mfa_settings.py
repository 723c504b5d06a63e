# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra's rules about the settings of the former MFA service (private to the collection). Pure functions.

What the settings do: Microsoft's page "Configure Microsoft Entra multifactor authentication settings". That Graph shows
them at /beta/policies/mfaServicePolicy is in no documentation; two live tools read it. Settings are dictionaries under
option names: {allow_app_passwords, remember_mfa_on_trusted_device: {enabled, days}, trusted_ips:
{skip_mfa_for_federated_users, ip_ranges}}; a setting that Graph does not show is missing or None.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from .facts import Fact
from .security_defaults import Obstacle, counted

Settings = Mapping[str, Any]
Network: TypeAlias = "ipaddress.IPv4Network | ipaddress.IPv6Network"

UNDOCUMENTED_INTERFACE = "undocumented_interface"
WEAKER_MFA = "weaker_mfa"
RISKS = (UNDOCUMENTED_INTERFACE, WEAKER_MFA)

LONGEST_DAYS = 365
MOST_RANGES = 50

PORTAL = "in the Microsoft Entra admin center under Users > Per-user MFA > Service settings"
WARNING = (
    "The settings of per-user MFA are read and written through /beta/policies/mfaServicePolicy, which Microsoft "
    f"neither documents nor supports and may change at any time. A person sees them {PORTAL}."
)
LIVE_CLOUDS = ("global", "custom")


def unknown_cloud(cloud: str) -> str | None:
    """Why nothing is known in this cloud, or None where the interface has been seen."""
    if cloud in LIVE_CLOUDS:
        return None
    return f"Whether Graph shows these settings in the cloud '{cloud}' is not known, so it is not asked."


def unknown_settings(reason: str) -> str:
    """Why the settings are unknown, and where a person looks."""
    return f"The settings of per-user MFA are unknown: {reason} A person sees them {PORTAL}."


def refused_values(options: Settings) -> list[str]:
    """What is wrong with wanted settings, in sentences, before anything is read."""
    found = []
    days = (options.get("remember_mfa_on_trusted_device") or {}).get("days")
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        found.append(f"remember_mfa_on_trusted_device.days must be from 1 to {LONGEST_DAYS}, but is {days}.")
    ranges = (options.get("trusted_ips") or {}).get("ip_ranges") or []
    if len(ranges) > MOST_RANGES:
        found.append(f"trusted_ips.ip_ranges may have at most {MOST_RANGES} ranges, but has {len(ranges)}.")
    for text in ranges:
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            found.append(f"trusted_ips.ip_ranges: {error}.")
    return found


def canonical_range(text: str) -> str:
    """One form for each range of addresses; what is none stays as it is."""
    network = _network(text)
    return text if network is None else str(network)


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def after_change(before: Settings, wanted: Settings) -> dict[str, Any]:
    """The settings once what is wanted holds."""
    return {
        name: {**value, **wanted[name]} if isinstance(wanted.get(name), Mapping) else wanted.get(name, value)
        for name, value in before.items()
    }


def weaker(before: Settings, after: Settings) -> list[str]:
    """In what the settings after a change ask less for MFA than those before it, in sentences."""
    found = []
    if after["allow_app_passwords"] and not before["allow_app_passwords"]:
        found.append(
            "People with per-user MFA may make app passwords, with which mail clients and the like sign in without MFA."
        )
    longer = _remembered(after) - _remembered(before)
    if longer > 0:
        found.append(
            f"Who ticks it when signing in is not asked for MFA on that device for {_days(_remembered(after))}"
            f"{f' instead of {_days(_remembered(before))}' if _remembered(before) else ''}."
        )
    if _skips(after) and not _skips(before):
        found.append("Federated users who sign in from inside their organisation are not asked for MFA.")
    new = untrusted_before(_ranges(before), _ranges(after))
    if new:
        found.append(f"Nobody is asked for per-user MFA at these addresses any more: {', '.join(new)}.")
    return found


def untrusted_before(before: Sequence[str], after: Iterable[str]) -> list[str]:
    """The ranges of ``after`` that hold an address which none of ``before`` holds."""
    known = [network for network in map(_network, before) if network is not None]
    collapsed: list[Network] = [
        *ipaddress.collapse_addresses(one for one in known if isinstance(one, ipaddress.IPv4Network)),
        *ipaddress.collapse_addresses(one for one in known if isinstance(one, ipaddress.IPv6Network)),
    ]
    return [text for text in after if text not in before and not _inside(_network(text), collapsed)]


def _inside(network: Network | None, others: Iterable[Network]) -> bool:
    return network is not None and any(
        network.version == other.version
        and int(other.network_address) <= int(network.network_address)
        and int(network.broadcast_address) <= int(other.broadcast_address)
        for other in others
    )


def stricter(before: Settings, after: Settings) -> list[str]:
    """In what the settings after a change ask more for MFA, in sentences."""
    found = []
    if before["allow_app_passwords"] and not after["allow_app_passwords"]:
        found.append(
            "People with per-user MFA can make no new app passwords for mail clients, printers and the like. Whether "
            "those that they have go on working is not documented."
        )
    if _remembered(before) > _remembered(after):
        remembered = _days(_remembered(after)) if _remembered(after) else "no longer"
        found.append(f"Devices on which people did MFA are remembered {remembered}; people are asked more often.")
    if _skips(before) and not _skips(after):
        found.append("Federated users are asked for MFA inside their organisation too.")
    gone = untrusted_before(_ranges(after), _ranges(before))
    if gone:
        found.append(f"People with per-user MFA are asked for it at these addresses too: {', '.join(gone)}.")
    return found


def _remembered(settings: Settings) -> int:
    """How many days a device is remembered; 0 for not at all."""
    remember = settings["remember_mfa_on_trusted_device"]
    return max(int(remember["days"] or 0), 0) if remember["enabled"] else 0


def _skips(settings: Settings) -> bool:
    return bool(settings["trusted_ips"]["skip_mfa_for_federated_users"])


def _ranges(settings: Settings) -> list[str]:
    return list(settings["trusted_ips"].get("ip_ranges") or [])


def _days(count: int) -> str:
    return counted(count, "day", "days")


def effects(before: Settings, after: Settings, per_user_mfa: Fact | None) -> list[str]:
    """What a change means, in sentences an approver can read. ``per_user_mfa`` counts users by state, if read."""
    lines = [*weaker(before, after), *stricter(before, after)]
    if not lines:
        lines.append("Nobody is asked for MFA more or less often than now.")
    if per_user_mfa is not None:
        if per_user_mfa.known:
            count = per_user_mfa.value["enabled"] + per_user_mfa.value["enforced"]
            lines.append(f"{counted(count, 'user has', 'users have')} per-user MFA.")
        else:
            lines.append(f"How many users have per-user MFA is unknown: {per_user_mfa.reason}")
    if before["trusted_ips"] != after["trusted_ips"]:
        lines.append("Conditional Access policies that name the location 'MFA trusted IPs' follow these addresses.")
        if before["trusted_ips"].get("ip_ranges") is None:
            lines.append(
                "Graph does not show the trusted addresses, so whether they stay as they are is unknown: look "
                f"{PORTAL}."
            )
    return lines


def obstacles(before: Settings, after: Settings) -> list[Obstacle]:
    """What stands in the way of a change, each with the risk that an operator may accept."""
    found = [
        Obstacle(
            "These settings can only be changed through /beta/policies/mfaServicePolicy, which Microsoft neither "
            f"documents nor supports; a person changes them {PORTAL}.",
            UNDOCUMENTED_INTERFACE,
        )
    ]
    lines = weaker(before, after)
    if lines:
        found.append(Obstacle(f"This makes MFA weaker. {' '.join(lines)}", WEAKER_MFA))
    return found


def refusal(refused: Iterable[Obstacle]) -> str:
    """One message for all obstacles, each with what to do."""
    lines = [f"{one.sentence} To go on all the same, add '{one.risk}' to accept_risks." for one in refused]
    return f"The settings of per-user MFA were not changed. {' '.join(lines)}"
