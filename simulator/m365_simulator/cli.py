# Copyright (c) 2026 zerotrust.m365 contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line: `m365-simulator serve`, `m365-simulator scenarios` and `m365-simulator describe`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from m365_simulator.assumptions import ASSUMPTIONS
from m365_simulator.errors import SimulatorError
from m365_simulator.scenarios import load_scenario, scenario_names

DEFAULT_SCENARIO = "greenfield"


def main(arguments: Sequence[str] | None = None) -> int:
    """0 after a graceful end, 2 with one sentence on stderr when it cannot start."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "scenarios":
            _show_scenarios()
        elif options.command == "describe":
            _describe()
        else:
            _serve(options)
    except SimulatorError as error:
        print(f"m365-simulator: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def _show_scenarios() -> None:
    for name in scenario_names():
        print(f"{name:12} {load_scenario(name)[1].get('description', '')}")


def _describe() -> None:
    from m365_simulator.description import describe

    print(json.dumps(describe(), indent=2))


def _serve(options: argparse.Namespace) -> None:
    # Imported here, so that --help and `scenarios` answer at once.
    from m365_simulator.server import ServeOptions, serve
    from m365_simulator.simulation import Options

    serve(
        ServeOptions(
            simulation=Options(
                scenarios=tuple(options.scenario or [DEFAULT_SCENARIO]),
                tenants=options.tenants,
                users=options.users,
                seed=options.seed,
                state=options.state,
                assumptions=dict(_assumption(text) for text in options.assume),
                faults=options.faults,
            ),
            port=options.port,
            ready_file=options.ready_file,
            hostnames=tuple(options.hostname),
            managed_identity_port=options.managed_identity_port,
            exchanges=options.exchanges,
        ),
        lambda text: print(text, flush=True),
    )


def _assumption(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise SimulatorError(f"--assume takes NAME=VALUE, not {text!r}.")
    return name, value


def _whole_number(lowest: int, text: str) -> int:
    number = int(text)
    if number < lowest:
        raise ValueError
    return number


def number_from_zero(text: str) -> int:
    return _whole_number(0, text)


def number_from_one(text: str) -> int:
    return _whole_number(1, text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="m365-simulator",
        description="A local, stateful Microsoft Graph and Entra sign-in service for tests and rehearsals.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("scenarios", help="list the scenarios that come with the simulator")
    commands.add_parser("describe", help="print an OpenAPI description of what it has of Graph")
    serve = commands.add_parser(
        "serve",
        help="serve Graph and sign-in over HTTPS until stopped",
        description="Serve Graph and sign-in over HTTPS on the loopback address until stopped "
        "(SIGTERM, Ctrl-C, or POST to ADMIN_URL/shutdown).",
        epilog="assumptions (--assume): "
        + "; ".join(f"{name}={'|'.join(known.values)}" for name, known in ASSUMPTIONS.items()),
    )
    serve.add_argument(
        "--scenario",
        action="append",
        metavar="NAME|FILE.yml",
        help=f"what the tenant looks like: a shipped scenario or a YAML file (default {DEFAULT_SCENARIO}); "
        "repeat it to have several tenants, each with its own",
    )
    serve.add_argument(
        "--port", type=number_from_zero, default=0, metavar="N", help="port; 0 (default) is any free one"
    )
    serve.add_argument(
        "--ready-file", type=Path, metavar="PATH", help="once listening, write addresses and credentials here as JSON"
    )
    serve.add_argument(
        "--hostname",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name in the TLS certificate besides localhost and 127.0.0.1; repeatable",
    )
    serve.add_argument(
        "--users", type=number_from_zero, metavar="N", help="number of users per tenant, instead of the scenario's own"
    )
    serve.add_argument("--seed", type=int, default=1, metavar="N", help="seed of ids and generated people (default 1)")
    serve.add_argument(
        "--tenants", type=number_from_one, metavar="N", help="number of tenants; scenarios are taken in turn"
    )
    serve.add_argument(
        "--state", type=Path, metavar="FILE", help="keep the state in this file across restarts (default: in memory)"
    )
    serve.add_argument(
        "--assume", action="append", default=[], metavar="NAME=VALUE", help="settle an open question; see below"
    )
    serve.add_argument(
        "--faults", type=Path, metavar="FILE.yml", help="a plan of faults, throttling and lagging reads; see the README"
    )
    serve.add_argument(
        "--managed-identity-port",
        type=number_from_zero,
        metavar="N",
        help="also serve managed identity tokens over plain HTTP on this port (0: any free one)",
    )
    serve.add_argument(
        "--exchanges",
        type=Path,
        metavar="FILE",
        help="append every request to Graph and its answer to this file, a line of JSON each, secrets masked",
    )
    return parser
