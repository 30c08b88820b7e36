"""How assignments are made and submissions taken in, plugged into nbgrader by nbgrader_config.py."""
