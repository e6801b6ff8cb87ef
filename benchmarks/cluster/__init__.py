"""What runs on other machines costs."""
