"""Runs on other machines: accounts and journals stay here, engines are asked there."""
