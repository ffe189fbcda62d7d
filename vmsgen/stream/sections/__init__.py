"""Sections that come in pieces and are laid out by hand: what their records are, and how they stand in the binary
format.

A module here describes one kind of section; :mod:`vmsgen.stream.sections.table` lists them. BER, text, JSON and the
statistics follow from the description.
"""
