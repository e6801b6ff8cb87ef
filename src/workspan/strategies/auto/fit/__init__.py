"""What a calibration library teaches `auto`: plans, prices, features; pure, without I/O."""
