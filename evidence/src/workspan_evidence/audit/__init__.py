"""What could give a graph's answer away before it is walked: exact checks, cues, planted leaks."""
