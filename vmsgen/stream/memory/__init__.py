"""The guest's memory as it is after the last record."""
