# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft's Graph SDK with azure-identity: `read` all there is to compare, or `write` by PATCH and by $batch."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from azure.identity.aio import EnvironmentCredential
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph import GraphServiceClient
from msgraph.generated.directory_roles.directory_roles_request_builder import DirectoryRolesRequestBuilder
from msgraph.generated.models.identity_security_defaults_enforcement_policy import (
    IdentitySecurityDefaultsEnforcementPolicy,
)
from msgraph.generated.models.user import User
from msgraph.generated.users.users_request_builder import UsersRequestBuilder
from msgraph_core.requests.batch_request_content import BatchRequestContent
from msgraph_core.requests.batch_request_item import BatchRequestItem
from msgraph_core.tasks.page_iterator import PageIterator


def asking(parameters: Any) -> RequestConfiguration[Any]:
    return RequestConfiguration(query_parameters=parameters)


async def every(client: GraphServiceClient, first: Any) -> list[Any]:
    """All items of a collection, by the SDK's own way of paging."""
    found: list[Any] = []

    def keep(item: Any) -> bool:
        found.append(item)
        return True

    await PageIterator(first, client.request_adapter).iterate(keep)
    return found


async def read(client: GraphServiceClient) -> dict[str, Any]:
    users = await every(client, await client.users.get())
    parameters = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(
        filter="userType eq 'Guest'", select=["id", "userType", "userPrincipalName"], top=5
    )
    guests = await every(client, await client.users.get(asking(parameters)))
    roles = DirectoryRolesRequestBuilder.DirectoryRolesRequestBuilderGetQueryParameters(
        filter="roleTemplateId eq '62e90394-69f5-4237-9190-012177145e10'"
    )
    administrators = (await client.directory_roles.get(asking(roles))).value[0]
    members = await client.directory_roles.by_directory_role_id(administrators.id).members.get()
    return {
        "users": [user.id for user in users],
        "guests": [guest.id for guest in guests],
        "guest types": sorted({guest.user_type for guest in guests}),
        "groups": [group.display_name for group in await every(client, await client.groups.get())],
        "policies": [
            [policy.display_name, policy.state.value]
            for policy in (await client.identity.conditional_access.policies.get()).value
        ],
        "methods": [
            [type(method).__name__, method.id, method.state.value]
            for method in (
                await client.policies.authentication_methods_policy.get()
            ).authentication_method_configurations
        ],
        "security defaults": (await client.policies.identity_security_defaults_enforcement_policy.get()).is_enabled,
        "domains": [domain.id for domain in (await client.domains.get()).value],
        "administrators": [member.id for member in members.value],
        "role templates": len((await client.directory_role_templates.get()).value),
        "applications": [application.app_id for application in (await client.applications.get()).value],
        "service principals": [item.app_id for item in (await client.service_principals.get()).value],
    }


async def batch(client: GraphServiceClient, requests: list[Any]) -> list[int]:
    """Statuses. The bodies are JSON, which this SDK takes for base64 and drops."""
    items = [BatchRequestItem(request_information=request) for request in requests]
    answered = await client.batch.post(batch_request_content=BatchRequestContent({item.id: item for item in items}))
    statuses = answered.get_response_status_codes()
    return [statuses[item.id] for item in items]


async def write(client: GraphServiceClient, user_id: str) -> dict[str, Any]:
    users, department = client.users.by_user_id, User(department="Changed by batch")
    requests = [
        users(user_id).to_patch_request_information(department),
        client.organization.to_get_request_information(),
        users("00000000-0000-4000-8000-00000000dead").to_get_request_information(),
    ]
    answered = await batch(client, requests)
    await users(user_id).patch(User(job_title="Changed by PATCH"))
    changed = IdentitySecurityDefaultsEnforcementPolicy(is_enabled=True)
    await client.policies.identity_security_defaults_enforcement_policy.patch(changed)
    return {"batch": answered}


async def main() -> None:
    async with EnvironmentCredential() as credential:
        client = GraphServiceClient(credential, ["https://graph.microsoft.com/.default"])
        told = await (read(client) if sys.argv[1] == "read" else write(client, sys.argv[2]))
        print(json.dumps(told))


asyncio.run(main())
