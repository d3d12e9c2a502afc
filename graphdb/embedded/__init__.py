"""The embedded Neo4j: downloaded, started, stopped and wiped, without a server to install."""

from graphdb.embedded.jars import NEO4J_VERSION, provision
from graphdb.embedded.lifecycle import ServerStatus, start, status, stop, wipe

__all__ = ["NEO4J_VERSION", "ServerStatus", "provision", "start", "status", "stop", "wipe"]
