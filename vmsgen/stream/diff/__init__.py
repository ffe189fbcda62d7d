"""What two streams say differently."""
