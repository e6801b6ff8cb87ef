"""Labels by hand: which answers to judge, what was said of them, and how far two people agree."""
