"""Load, catalogue, push and score as plain functions that sequence the packages below. No Airflow here."""
