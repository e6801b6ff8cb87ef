"""Many runs: on one problem each, side by side, or under one budget."""
