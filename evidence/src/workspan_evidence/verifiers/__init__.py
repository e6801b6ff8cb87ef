"""Programs that judge a candidate in the grammar."""
