"""The top floor: the GraphQL API over HTTP and WebSocket, with its limits."""
