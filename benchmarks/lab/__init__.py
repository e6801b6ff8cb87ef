"""What the lab is measured by: sweeps of recorded chains, their growth, and their store."""
