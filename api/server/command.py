"""`explorer serve`."""

from __future__ import annotations

import ipaddress
import signal
import socket
import sys
from contextlib import AbstractContextManager
from typing import Annotated

import typer

from graphdb.errors import ConflictError, InputError
from graphdb.interrupt import handled

CONNECTIONS = 200
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]", "::1")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    production: Annotated[
        bool, typer.Option("--production", help="No GraphiQL page, no introspection, no hints in errors.")
    ] = False,
    print_schema: Annotated[bool, typer.Option("--print-schema", help="Print the GraphQL schema and exit.")] = False,
) -> None:
    """Serve the GraphQL API: queries at /graphql, health at /livez and /readyz.

    Example: explorer serve --port 8080
    """
    # Every start of the command line imports this module, so whatever only the server needs is imported here.
    if print_schema:
        from api.schema.build import schema_text

        typer.echo(schema_text(), nl=False)
        return
    listening = _listen(host, port)
    import uvicorn

    from api.server.app import create_app
    from api.server.limits import Limits
    from graphdb.connection import open_store
    from graphdb.settings import Settings

    settings = Settings.from_environment()
    limits = Limits()
    with listening, _ended_in_order(), open_store(settings) as store:
        app = create_app(
            store, settings, limits=limits, production=production, allowed_hosts=_allowed_hosts(host), prepare=True
        )
        config = uvicorn.Config(
            app, log_level="info", limit_concurrency=CONNECTIONS, ws_max_size=limits.body_bytes, server_header=False
        )
        uvicorn.Server(config).run(sockets=[listening])


def _ended_in_order() -> AbstractContextManager[None]:
    """SIGTERM and Ctrl-C, which uvicorn raises again after it stops, exit with status 0 during the block."""
    return handled((signal.SIGTERM, signal.SIGINT), lambda *_: sys.exit(0))


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket, taken before the database is opened so that a taken port is reported at once."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listening = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise InputError(f"--host {host} is not an address of this machine: {error.strerror}.") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(CONNECTIONS)
    except OSError as error:
        listening.close()
        raise ConflictError(
            f"Port {port} of {host} cannot be used: {error.strerror}. Choose another with --port."
        ) from error
    return listening


def _allowed_hosts(host: str) -> tuple[str, ...]:
    """On the loopback, only its own names, so that no web page reaches the server through a name of its own."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    return (*LOOPBACK_HOSTS, host) if loopback else ("*",)
