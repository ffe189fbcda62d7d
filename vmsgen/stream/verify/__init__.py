"""Checks of a stream: schema, an independent reader, its own round trip."""
