"""A stream as text for people and programs: debug, JSON, summaries."""
