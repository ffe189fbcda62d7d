"""YAML to model: positioned nodes, the binder, the field-line grammar, name resolution, passes, the lock."""
