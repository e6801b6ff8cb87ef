"""What a calibration profile teaches `auto`: plans, prices, features; pure, without I/O."""
