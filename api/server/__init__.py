"""The ASGI application: transport, limits, errors, and the command that serves it."""
