"""What is fast and how fast, as ratios to others that are measured in the same run: ``python -m benchmarks``."""
