"""DAG factories, tasks and connections: the only package that imports Airflow. The work itself is in `pipeline`.

Everything below is imported whenever a DAG file is parsed. Modules that need a database driver, Arrow or Great
Expectations are therefore imported inside the tasks.
"""
