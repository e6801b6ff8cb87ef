"""The forms in which others write requests: read into ours, and written out again unchanged."""
