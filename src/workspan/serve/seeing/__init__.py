"""What is seen of the gateway from outside: records of requests, metrics, logs."""
