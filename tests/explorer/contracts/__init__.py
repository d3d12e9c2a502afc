"""Suites that every plug-in of a contract passes: subclass, supply the fixtures, and the tests are inherited."""
