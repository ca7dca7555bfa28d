"""The register of driving licences (GPLX), read for one province."""
