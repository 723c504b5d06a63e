# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""/$batch: up to 20 requests in one, answered in any order."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Awaitable, Callable
from typing import Any

from m365_simulator.graph.errors import GraphError, bad_policy, unknown_segment
from m365_simulator.graph.router import GraphRequest, GraphResponse

LARGEST = 20

Answer = Callable[[GraphRequest], Awaitable[GraphResponse]]


async def answer_batch(
    request: GraphRequest, body: dict[str, Any], answer: Answer, rng: random.Random
) -> GraphResponse:
    """`answer` handles one item as if it had come alone. Raises GraphError when the batch itself is malformed."""
    items = _read(body)
    done: dict[str, GraphResponse] = {}
    for item in items:
        failed = [name for name in item.get("dependsOn", ()) if name not in done or done[name].status >= 400]
        if failed:
            done[item["id"]] = _failed_dependency()
        else:
            done[item["id"]] = await answer(_item_request(request, item))
    responses = [_as_json(id, response) for id, response in done.items()]
    rng.shuffle(responses)
    return GraphResponse(200, {"responses": responses})


def _read(body: dict[str, Any]) -> list[dict[str, Any]]:
    items = body.get("requests")
    if not isinstance(items, list):
        raise bad_policy("Invalid batch payload format.")
    if len(items) > LARGEST:
        raise GraphError(
            400, "MaximumValueExceeded", f"Number of batch request steps exceeds the maximum value of {LARGEST}."
        )
    ids: set[str] = set()
    for item in items:
        if not isinstance(item, dict) or not all(isinstance(item.get(name), str) for name in ("id", "method", "url")):
            raise bad_policy("Invalid batch payload format.")
        if item["id"] in ids:
            raise bad_policy("Request Ids must be unique.")
        if "body" in item and not any(name.lower() == "content-type" for name in item.get("headers") or {}):
            raise bad_policy(f"Write request id : {item['id']} does not contain Content-Type header or body.")
        unknown = [name for name in item.get("dependsOn", ()) if name not in ids]
        if unknown:
            raise bad_policy(f"Request Id {unknown[0]} is not found or comes after the request that depends on it.")
        ids.add(item["id"])
    return items


def _item_request(outer: GraphRequest, item: dict[str, Any]) -> GraphRequest:
    path, _unused, query = item["url"].partition("?")
    headers = {name.lower(): str(value) for name, value in (item.get("headers") or {}).items()}
    headers["authorization"] = outer.headers.get("authorization", "")
    return GraphRequest(
        method=item["method"].upper(),
        version=outer.version,
        path="/" + path.lstrip("/"),
        query=query,
        headers=headers,
        body=json.dumps(item["body"]).encode() if "body" in item else None,
        base=outer.base,
    )


def refuse_nested() -> GraphError:
    return unknown_segment("$batch")


def _failed_dependency() -> GraphResponse:
    error = {"code": "FailedDependency", "message": "Failed due to dependency."}
    return GraphResponse(424, {"error": error})


def _as_json(id: str, response: GraphResponse) -> dict[str, Any]:
    headers = {key: value for key, value in response.headers.items() if key.lower() in ("retry-after", "location")}
    shown: dict[str, Any] = {"id": id, "status": response.status, "headers": headers}
    if isinstance(response.body, bytes):
        # What is no JSON stands in a batch as base64.
        headers["Content-Type"] = response.headers["Content-Type"]
        shown["body"] = base64.b64encode(response.body).decode()
    elif response.body is not None:
        headers["Content-Type"] = "application/json"
        shown["body"] = response.body
    return shown
