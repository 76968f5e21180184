"""Descent: update rules, line searches, full-batch methods, schedules."""
