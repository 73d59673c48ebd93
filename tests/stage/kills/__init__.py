"""Runs on a real cluster that are killed, and the watchdog that puts right what they leave."""
