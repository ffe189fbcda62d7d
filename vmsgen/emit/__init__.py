"""Emitters: each turns the model into ``{path: text}``; none of them reads YAML or writes a file."""
