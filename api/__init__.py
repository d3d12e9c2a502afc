"""The top layer: the GraphQL API over HTTP and WebSocket, with its limits."""
