"""The ASGI application: its transport, limits and errors, and the command that serves it."""
