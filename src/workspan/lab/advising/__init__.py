"""What a route should be set to, from requests that were answered and run beside."""
