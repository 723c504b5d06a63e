# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft Entra's sign-in errors mean and what to do about them (private to the collection). Data.

Source: Microsoft Entra documentation, "Microsoft Entra authentication and authorization error codes"; 70021, 700211 and
700213 as users report them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

TRANSIENT = frozenset({"90033", "90024", "90055"})

# code: (what it means, what to do)
MEANINGS: dict[str, tuple[str, str]] = {
    "7000215": (
        "The client secret is wrong.",
        "Give the secret's value, not its id; the value is shown only once, when the secret is created.",
    ),
    "7000222": ("The client secret has expired.", "Create a new one in the app registration, and use that."),
    "7000218": (
        "The application must prove who it is, and sent neither a secret nor an assertion.",
        "Give client_secret, a certificate or a federated token; the app registration must be no public client.",
    ),
    "700027": (
        "The certificate or the signature is not accepted: it is not registered with the application, or has expired.",
        "Upload this certificate's public part to the app registration, and check its validity and the private key.",
    ),
    "700024": (
        "The signed assertion is outside its time range.",
        "Set this machine's clock (time synchronisation); a federated token may also have expired.",
    ),
    "7000214": ("The certificate has been revoked.", "Register and use another certificate."),
    "7000277": ("The certificate has been revoked.", "Register and use another certificate."),
    "1000502": (
        "The certificate is not yet or no longer valid.",
        "Register and use a certificate that is valid today, and check this machine's clock.",
    ),
    "700016": (
        "The application does not exist in this tenant.",
        "Check client_id and tenant_id; consent to the application in this tenant; check the cloud.",
    ),
    "7000112": ("The application is disabled.", "Enable sign-in for its enterprise application."),
    "90002": ("The tenant does not exist in this cloud.", "Check tenant_id and cloud."),
    "900023": (
        "The tenant id is neither a GUID nor a domain name that is known.",
        "Check tenant_id: a GUID, or a verified domain of the tenant.",
    ),
    "90038": ("The tenant lives in another national cloud.", "Set cloud to usgov, usgov_dod or china, as it may be."),
    "70021": (
        "No federated credential of the application matches the federated token.",
        "Compare issuer, subject and audience of the federated credential with those of the token.",
    ),
    "700213": (
        "No federated credential of the application matches the token's subject.",
        "Compare the subject of the federated credential with that of the token, letter by letter.",
    ),
    "700211": (
        "No federated credential of the application matches the token's issuer.",
        "Compare the issuer of the federated credential with that of the token, letter by letter.",
    ),
    "53003": (
        "A Conditional Access policy blocks this sign-in (policies for workload identities too).",
        "Allow the application, or the place it signs in from, in that policy.",
    ),
    "65001": (
        "Nobody has consented to the permissions.",
        "Let an administrator grant admin consent for the application.",
    ),
    "500011": (
        "Microsoft Graph has no service principal of this name in the tenant.",
        "Check cloud and graph_url: token and tenant must be of the same cloud.",
    ),
    "90033": ("The sign-in service has a temporary problem.", "Run the task again later."),
    "90024": ("The sign-in service has a temporary problem.", "Run the task again later."),
    "90055": ("The sign-in service throttles this tenant.", "Run the task again later, with fewer forks."),
    "530032": (
        "A security policy of the tenant blocks this sign-in.",
        "Check Conditional Access and security defaults for what blocks this application.",
    ),
}
UNKNOWN = (
    "The sign-in was refused.",
    "Look up the code on https://login.microsoftonline.com/error, and the sign-in in the tenant's sign-in log.",
)


def codes_in(description: str, error_codes: Sequence[object] = ()) -> list[str]:
    """AADSTS numbers of an answer, most telling first: those that this table knows, in their order, then the others."""
    given = [str(code) for code in error_codes if isinstance(code, (int, str)) and str(code).isdigit()]
    found = list(dict.fromkeys([*given, *re.findall(r"AADSTS([0-9]+)", description)]))
    return sorted(found, key=lambda code: code not in MEANINGS)


def meaning(codes: Sequence[str]) -> tuple[str, str]:
    """What it means and what to do, of the first code that is known."""
    return next((MEANINGS[code] for code in codes if code in MEANINGS), UNKNOWN)
