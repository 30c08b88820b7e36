"""How assignments are made and submissions are taken in, run and scored, plugged into nbgrader by nbgrader_config.py."""
