"""One folder a domain: its spaces, its simulators, its physics and its tables."""
