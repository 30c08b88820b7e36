"""/etc/jupyter/nbgrader_config.py: all that a student's nbgrader has to know, readable by everyone."""

c = get_config()  # noqa: F821  (nbgrader gives it to this file)

# As in the course's own nbgrader_config.py.
c.CourseDirectory.course_id = "convblocks"
# As CONVBLOCKS_EXCHANGE in jupyterhub_config.py.
c.Exchange.root = "/srv/exchange"
