"""Advice about specs that are right: what to look for, the checks, and the run of them over a project."""
