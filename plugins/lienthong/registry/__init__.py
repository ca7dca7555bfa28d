"""The registry: provinces, agencies and procedures as the national catalogue lists them, and who may be a tenant."""
