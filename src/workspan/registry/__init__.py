"""What every name stands for, ours and plug-ins'."""
