"""The event-driven schedule of a program on a chip."""
