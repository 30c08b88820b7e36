"""/etc/jupyterhub/jupyterhub_config.py: the course on one machine whose users are its students and its instructor."""

import os

c = get_config()  # noqa: F821  (JupyterHub gives it to this file)

INSTRUCTOR = "instructor"
COURSE = "/srv/convblocks"
EXCHANGE = "/srv/exchange"
STUDENTS = "/opt/student"

# Who may log in, with the password of the system (PAM). Nobody is an admin of the hub: one could enter others' servers.
c.Authenticator.allowed_users = {INSTRUCTOR}
c.LocalAuthenticator.allowed_groups = {"students"}

# What the hub keeps: a folder for root alone.
c.JupyterHub.db_url = "sqlite:////srv/hub/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "/srv/hub/jupyterhub_cookie_secret"
c.ConfigurableHTTPProxy.pid_file = "/srv/hub/proxy.pid"
c.ConfigurableHTTPProxy.command = ["/opt/hub/node_modules/.bin/configurable-http-proxy"]
# Behind a proxy that speaks TLS. On its own: bind_url = "https://:443", and ssl_key and ssl_cert.
c.JupyterHub.bind_url = f"http://{os.environ.get('HUB_LISTENS_AT', '127.0.0.1')}:8000"

c.JupyterHub.spawner_class = "localprocess"
c.Spawner.default_url = "/lab"
# Kernels speak through files in the home folder of their user; to a port of this machine anyone on it could listen.
c.Spawner.args = ["--KernelManager.transport=ipc"]
# A whole class starts its servers in the same minute.
c.Spawner.start_timeout = 180
c.Spawner.http_timeout = 180


def give_a_desk(spawner):
    """The students' environment in the home folder, or the course's own where its nbgrader_config.py lies."""
    environment, desk = STUDENTS, []
    if spawner.user.name == INSTRUCTOR:
        environment = f"{COURSE}/.venv"
        spawner.notebook_dir = COURSE
        # Formgrader reads the nbgrader_config.py of the folder in which the server was started.
        desk = ["env", f"--chdir={COURSE}", f"CONVBLOCKS_EXCHANGE={EXCHANGE}"]
    # nbgrader calls alembic, and Jupyter its kernels, by their names.
    spawner.environment = {"PATH": f"{environment}/bin:/usr/local/bin:/usr/bin:/bin"}
    spawner.cmd = [*desk, f"{environment}/bin/jupyterhub-singleuser"]


c.Spawner.pre_spawn_hook = give_a_desk
