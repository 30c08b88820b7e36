"""Measurements of this course side by side with stock nbgrader, both in one run."""
