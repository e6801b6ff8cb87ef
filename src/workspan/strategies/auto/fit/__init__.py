"""What a calibration library teaches `auto`: plans, prices, signs; pure, without I/O."""
